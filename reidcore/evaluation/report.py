"""An evaluation in words: a table of targets, or lines as Torchreid prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from reidcore._tables import plain, plain_table
from reidcore.errors import counted
from reidcore.evaluation.result import RANKS, RankingResult

if TYPE_CHECKING:
    from rich.table import Table

AVERAGE = "average"
"""What stands for all targets, in tables and files."""


def table(results: Mapping[str, RankingResult], ranks: Sequence[int] = RANKS) -> Table:
    """Return a table with a row for each target, in percent, and one for several on average.

    Args:
        results: target name -> what was found.
        ranks: the ranks of the CMC to show.
    """
    names = [f"rank{rank}" for rank in ranks]
    headings = ["mAP", "mINP", *(f"Rank-{rank}" for rank in ranks), "Queries", "Skipped"]
    shown = _empty("Results (%)", headings)
    for target, result in results.items():
        summary = result.summary(ranks)
        cells = [_percent(summary.get(name)) for name in ("mAP", "mINP", *names)]
        shown.add_row(target, *cells, str(result.num_valid), str(result.num_skipped))
    means = averages(results, ranks)
    if means:
        shown.add_row(AVERAGE, *(_percent(means.get(name)) for name in ("mAP", "mINP", *names)))
    return shown


def further_table(results: Mapping[str, RankingResult]) -> Table | None:
    """Return a table of what protocols measured beside, as they gave it; None if that is nothing.

    Args:
        results: target name -> what was found.
    """
    names = list(dict.fromkeys(name for result in results.values() for name in result.figures))
    if not names:
        return None
    shown = _empty("Further figures", names)
    rows = {target: result.further() for target, result in results.items()}
    means = averages(results)
    for target, row in [*rows.items(), *([(AVERAGE, means)] if means else [])]:
        shown.add_row(target, *(f"{row[name]:.4g}" if name in row else "-" for name in names))
    return shown


def averages(
    results: Mapping[str, RankingResult], ranks: Sequence[int] = RANKS
) -> dict[str, float]:
    """Return the mean of each figure over the targets that have it; nothing for one target.

    Args:
        results: target name -> what was found.
        ranks: the ranks of the CMC to average.
    """
    if len(results) < 2:
        return {}
    found = [result.summary(ranks) | result.further() for result in results.values()]
    names = dict.fromkeys(name for figures in found for name in figures)
    return {name: fmean(each[name] for each in found if name in each) for name in names}


def _empty(title: str, columns: Sequence[str]) -> Table:
    from rich.box import SIMPLE_HEAD

    # With names of 22 characters it fits 80 columns; what does not fit is folded, never cut.
    shown = plain_table()(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False)
    shown.padding = (0, 0, 0, 0)
    shown.add_column("Target", overflow="fold")
    for column in columns:
        shown.add_column(plain(column), justify="right", overflow="fold", min_width=len("100.0"))
    return shown


def text(result: RankingResult, ranks: Sequence[int] = RANKS) -> str:
    """Return mAP, mINP and the CMC in lines, in percent."""
    summary = result.summary(ranks)
    curve = [
        f"Rank-{rank:<3}: {_percent(summary[f'rank{rank}'])}%"
        for rank in ranks
        if f"rank{rank}" in summary
    ]
    lines = [
        "** Results **",
        f"mAP: {_percent(result.mAP)}%",
        f"mINP: {_percent(result.mINP)}%",
        "CMC curve",
        *curve,
        *(f"{name}: {value:.4g}" for name, value in result.further().items()),
    ]
    if result.num_skipped:
        total = result.num_valid + result.num_skipped
        lines.append(
            f"{result.num_skipped} of {counted(total, 'query', 'queries')} without a match: skipped"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
