"""CMC, precision over recall, and ROC."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.charts import Line, Scale, line_chart, percent
from reid_plugins_report.evidence import Curves, Spread
from reid_plugins_report.evidence.parts import Floats
from reid_plugins_report.page import Html, Section, figure, figures
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.thresholds import Rates

_LEAST_FMR = 1e-6


def curves_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's curves."""
    curves = target.evidence.part(Curves) if target.evidence else None
    spread = target.evidence.part(Spread) if target.evidence else None
    shown = []
    if curves is not None:
        shown.append(_cmc(curves.cmc))
        if len(curves.precision):
            shown.append(_precision(curves.precision))
    if spread is not None and (rates := Rates.of(spread)) is not None:
        shown.append(_roc(rates, int(spread.nonmatches.sum())))
    if not shown:
        return None
    lead = "How far down the first match is, how pure a ranking stays, how pairs are told apart."
    return Section("Curves", figures(*shown), 20, lead)


def _cmc(cmc: Floats) -> Html:
    points = [(float(rank), value) for rank, value in enumerate(cmc.tolist(), start=1)]
    floor = 0.0 if min(cmc) < 0.5 else 0.5
    chart = line_chart(
        [Line("CMC", points)],
        Scale("rank", 1, max(len(cmc), 2)),
        Scale("queries (%)", floor, 1, form=percent),
        f"CMC: {100 * cmc[0]:.1f} % at rank 1, {100 * cmc[-1]:.1f} % at rank {len(cmc)}",
    )
    note = "Share of the queries with a match at this rank or before."
    return figure("Cumulative match characteristic", chart, note)


def _precision(precision: Floats) -> Html:
    levels = np.linspace(0, 1, len(precision)).tolist()
    chart = line_chart(
        [Line("precision", list(zip(levels, precision.tolist(), strict=True)), is_area=True)],
        Scale("recall (%)", 0, 1, form=percent),
        Scale("precision (%)", 0, 1, form=percent),
        f"Precision over recall: {100 * precision[0]:.1f} % at first, "
        f"{100 * precision[-1]:.1f} % where all matches are found",
    )
    return figure("Precision and recall", chart, "Interpolated, the mean over the queries.")


def _roc(rates: Rates, nonmatches: int) -> Html:
    least = max(_LEAST_FMR, 10.0 ** np.ceil(np.log10(1 / nonmatches)))
    levels = np.logspace(np.log10(least), 0, 121) if least < 1 else np.linspace(0, 1, 121)
    across = Scale("false match rate (%)", min(least, 0.1), 1, is_log=True, form=percent)
    chart = line_chart(
        [Line("ROC", rates.roc(levels))],
        across,
        Scale("true match rate (%)", 0, 1, form=percent),
        f"ROC: area {rates.area():.4f}",
    )
    note = f"Of all pairs that the protocol counts. Area under the curve: {rates.area():.4f}."
    return figure("Receiver operating characteristic", chart, note)
