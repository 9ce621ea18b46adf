"""How distances of matches and non-matches are spread, and thresholds between them."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.charts import Line, Rule, Scale, line_chart, plain
from reid_plugins_report.evidence import Evidence, Spread
from reid_plugins_report.evidence.parts import Floats, Ints
from reid_plugins_report.page import Section, figure, figures, table
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.thresholds import Operating, Rates

_SHOWN_BINS = 80
_LEVELS = (1e-1, 1e-2, 1e-3, 1e-4)

_METRICS = {"euclidean": "squared euclidean"}

_TITLE = "Distances and thresholds"


def distances_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's distances."""
    spread = target.evidence.part(Spread) if target.evidence else None
    rates = Rates.of(spread) if spread is not None else None
    if spread is None or rates is None or target.evidence is None:
        return None
    name = _distance(target.evidence)
    equal, low = rates.equal_error(), rates.at_fmr(1e-3)
    edges, (matches, others) = coarser(spread, _SHOWN_BINS)
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    lines = [
        Line("matches", list(zip(middles, matches.tolist(), strict=True)), 2, is_area=True),
        Line("non-matches", list(zip(middles, others.tolist(), strict=True)), 1, is_area=True),
    ]
    highest = max(matches.max(), others.max())
    chart = line_chart(
        lines,
        Scale(name, float(edges[0]), float(edges[-1])),
        Scale("pairs (%)", 0, float(highest) * 1.06, form=lambda share: f"{100 * share:.3g}"),
        f"Distances of matches and non-matches; equal error rate {_percent(equal.fmr)} "
        f"at a threshold of {equal.threshold:.4g}",
        [Rule(low.threshold, "FMR 0.1 %"), Rule(equal.threshold, "equal error")],
    )
    count = f"{int(spread.matches.sum()):,} matches, {int(spread.nonmatches.sum()):,} non-matches"
    rows = [_row("Equal error", equal)]
    rows += [_row(f"FMR ≤ {100 * level:g} %", rates.at_fmr(level)) for level in _LEVELS]
    headings = ["At", "Threshold", "FMR", "FNMR"]
    shown = figures(
        figure("Distances of all pairs", chart, f"{count}; each kind adds up to 100 %."),
        figure(
            "Thresholds",
            table(headings, rows, label="Thresholds"),
            f"A pair is accepted whose {name} is below the threshold. FMR: the share of the"
            " non-matches that are, FNMR: the share of the matches that are not.",
        ),
    )
    lead = (
        "Where two pictures are taken for one identity. The thresholds are found on the test's own "
        "pairs: on other data, calibrate them on identities that are held out."
    )
    return Section(_TITLE, shown, 30, lead)


def _distance(evidence: Evidence) -> str:
    """Return what the distances are, as thresholds are to be read."""
    if evidence.facts.get("rerank"):
        return "re-ranked distance"
    metric = str(evidence.facts.get("metric", ""))
    return f"{_METRICS.get(metric, metric)} distance"


def coarser(spread: Spread, count: int) -> tuple[Floats, tuple[Floats, Floats]]:
    """Return at most ``count`` wider bins: edges, and the shares of matches and non-matches."""
    step = -(-len(spread.matches) // count)
    starts = np.arange(0, len(spread.matches), step)
    width = float(spread.edges[1] - spread.edges[0]) * step
    edges = spread.edges[0] + width * np.arange(len(starts) + 1)
    return edges, (_shares(spread.matches, starts), _shares(spread.nonmatches, starts))


def _shares(counts: Ints, starts: Ints) -> Floats:
    shares: Floats = np.add.reduceat(counts, starts) / counts.sum()
    return shares


def _row(name: str, at: Operating) -> tuple[str, str, str, str]:
    return name, plain(at.threshold), _percent(at.fmr), _percent(at.fnmr)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
