"""Failure slices: the figures of queries that have something in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reid_plugins_report.charts import Bar, Scale, interval_chart, percent, plain
from reid_plugins_report.evidence import Queries, Slices
from reid_plugins_report.evidence.parts import Floats
from reid_plugins_report.page import Html, Section, figure, figures
from reid_plugins_report.report import Report, ReportedTarget
from reidcore.evaluation import bootstrap

_BINS = 4
_FEW_VALUES = 8  # of a column, which are shown one by one

_NOTES = {
    "box size": "Pixels of the query's picture.",
    "brightness": "Mean grey level of the query's picture, from 0 to 255.",
    "sharpness": "Variance of the Laplacian of the query's picture: low where it is blurred.",
    "time gap": "Between the query and its nearest match in time.",
}


@dataclass(frozen=True, eq=False)
class Slice:
    """Queries with something in common.

    Attributes:
        label: what.
        members: (n,) which of the queries that were looked at.
    """

    label: str
    members: npt.NDArray[np.bool_]


def slices_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's failure slices."""
    slices = target.evidence.part(Slices) if target.evidence else None
    queries = target.evidence.part(Queries) if target.evidence else None
    if slices is None or queries is None:
        return None
    ap, rank1, pids = (
        queries.ap[slices.query],
        queries.rank1[slices.query],
        queries.pid[slices.query],
    )
    figures_of = {"mAP": ap} if np.isnan(rank1).all() else {"mAP": ap, "Rank-1": rank1}
    shown, alike = [], []
    for place, name in enumerate(slices.name.tolist()):
        texts = [text for text in slices.text[place].tolist() if text]
        parts = [part for part in slices_by(slices.value[:, place], texts) if _counts(part, ap)]
        if len(parts) < 2:
            alike.append(name)
            continue
        shown.append(_figure(name, parts, figures_of, pids))
    if not shown:
        return None
    lead = "What makes queries hard: the same figures for queries that have something in common."
    if alike:
        lead += f" All queries are alike by {' and '.join(alike)}."
    return Section("Failure slices", figures(*shown), 40, lead)


def slices_by(values: Floats, texts: Sequence[str] = ()) -> Iterator[Slice]:
    """Yield slices of equal values where there are few, else of quarters, by rising value.

    Args:
        values: (n,) NaN where it is not known, which is in no slice.
        texts: what the values 0, 1, ... stand for; none where they are numbers themselves.
    """
    different = np.unique(values[~np.isnan(values)])
    if texts or len(different) <= _FEW_VALUES:
        for value in different:
            is_text = 0 <= value < len(texts)
            yield Slice(texts[int(value)] if is_text else plain(value), values == value)
        return
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, _BINS + 1)))
    for place, (low, high) in enumerate(pairwise(edges)):
        is_last = place == len(edges) - 2
        below = values <= high if is_last else values < high
        yield Slice(f"{plain(low)} to {plain(high)}", (values >= low) & below)


def _counts(part: Slice, ap: Floats) -> bool:
    """Say whether a slice has a query with figures."""
    return bool((part.members & ~np.isnan(ap)).any())


def _figure(
    name: str, parts: list[Slice], figures_of: dict[str, Floats], pids: npt.NDArray[np.int64]
) -> Html:
    values = {
        (figure_name, part.label): np.where(part.members, each, np.nan)
        for figure_name, each in figures_of.items()
        for part in parts
    }
    named = {str(key): value for key, value in values.items()}
    found = bootstrap.intervals(named, pids, shares=named)
    charts = []
    for colour, figure_name in enumerate(figures_of):
        bars = []
        for part in parts:
            value = values[figure_name, part.label]
            mean = float(np.nanmean(value))
            low, high = found.get(str((figure_name, part.label)), (mean, mean))
            count = int((~np.isnan(value)).sum())
            bars.append(Bar(part.label, mean, low, high, f"{count:,} queries", colour))
        summary = f"{figure_name} by {name}: " + ", ".join(
            f"{bar.label}: {100 * bar.value:.1f} %" for bar in bars
        )
        charts.append(
            interval_chart(bars, Scale(f"{figure_name} (%)", 0, 1, form=percent), summary)
        )
    return figure(f"By {name}", charts, _NOTES.get(name, "A column of the dataset."))
