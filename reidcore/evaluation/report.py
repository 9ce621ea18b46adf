"""An evaluation in words: a table of targets, or lines as Torchreid prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reidcore.evaluation.result import RANKS, RankingResult

if TYPE_CHECKING:
    from rich.table import Table


def table(results: Mapping[str, RankingResult], ranks: Sequence[int] = RANKS) -> Table:
    """Return a table with a row for each target, in percent.

    Args:
        results: target name -> what was found.
        ranks: the ranks of the CMC to show.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    columns = ["mAP", "mINP", *(f"Rank-{rank}" for rank in ranks)]
    # With names of 22 characters it fits 80 columns; what does not fit is folded, never cut.
    shown = Table(title="Results (%)", title_justify="left", box=SIMPLE_HEAD, show_edge=False)
    shown.padding = (0, 0, 0, 0)
    shown.add_column("Target", overflow="fold")
    for column in [*columns, "Queries", "Skipped"]:
        shown.add_column(column, justify="right", overflow="fold", min_width=len("100.0"))
    for target, result in results.items():
        summary = result.summary(ranks)
        shares = [summary.get(column.lower().replace("-", "")) for column in columns[2:]]
        cells = [_percent(share) for share in (result.mAP, result.mINP, *shares)]
        shown.add_row(target, *cells, str(result.num_valid), str(result.num_skipped))
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
    ]
    if result.num_skipped:
        total = result.num_valid + result.num_skipped
        lines.append(f"{result.num_skipped} of {total} queries have no match and were skipped")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
