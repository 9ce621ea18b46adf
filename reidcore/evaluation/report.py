"""An evaluation in words: a table of targets, what its figures are, lines as Torchreid prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from reidcore._tables import plain, plain_table
from reidcore.errors import counted
from reidcore.evaluation.result import RANKS, RankingResult

if TYPE_CHECKING:
    from rich.table import Table

AVERAGE = "average"
"""What stands for all targets, in tables and files."""

_ENDS, _NO_ENDS = ("  95 % from", "  95 % to"), (None, None)
# How a condition is said, where not by its name; nothing of what others tell.
_WORDS = {
    "metric": "{}",
    "ap": "{} AP",
    "ties": "{} ties",
    "junk": "{} ignored",
    "unmatched": "",
    "rerank": "re-ranked ({})",
    "selected_on": "selected by {}",
}


def table(results: Mapping[str, RankingResult], ranks: Sequence[int] = RANKS) -> Table:
    """Return a table with a row for each target, in percent, and one for several on average.

    Below a target stand the ends of its 95 % intervals.

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
        for place, heading in enumerate(_ENDS if result.intervals else ()):
            ends = (result.intervals.get(name, _NO_ENDS)[place] for name in ("mAP", "mINP", *names))
            shown.add_row(heading, *map(_percent, ends), style="dim")
    means = averages(results, ranks)
    if means:
        shown.add_row(AVERAGE, *(_percent(means.get(name)) for name in ("mAP", "mINP", *names)))
    return shown


def further_table(results: Mapping[str, RankingResult]) -> Table | None:
    """Return a table of what protocols measured beside, as they gave it; None if that is nothing.

    Args:
        results: target name -> what was found; a column each.
    """
    names = dict.fromkeys(name for result in results.values() for name in result.figures)
    if not names:
        return None
    means = averages(results)
    shown = _empty("Further figures", [*results, *([AVERAGE] if means else [])], first="Figure")
    for name in names:
        cells = [_shown(each, name, each.further().get(name), _number) for each in results.values()]
        shown.add_row(name, *cells, *([_number(means.get(name))] if means else []))
    return shown


def conditions_line(name: str, conditions: Mapping[str, Any], result: RankingResult) -> str:
    """Return what the figures of a target are, in one line.

    Args:
        name: the target; empty for none.
        conditions: as `TargetResult` has them, or a `RankingResult`.
        result: how many queries there are, and how many have no match.
    """
    said = [_in_words(key, value) for key, value in conditions.items()]
    if result.num_unmatched:
        total = counted(len(result.first_rank), "query", "queries")
        fate = "skipped" if result.num_skipped else "counted as zero"
        said.append(f"{result.num_unmatched:,} of {total} without a match: {fate}")
    return f"{name}: " * bool(name) + ", ".join(filter(None, said))


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


def _empty(title: str, columns: Sequence[str], first: str = "Target") -> Table:
    from rich.box import SIMPLE_HEAD

    # With names of 22 characters it fits 80 columns; what does not fit is folded, never cut.
    shown = plain_table()(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False)
    shown.padding = (0, 0, 0, 0)
    shown.add_column(first, overflow="fold")
    for column in columns:
        shown.add_column(plain(column), justify="right", overflow="fold", min_width=len("100.0"))
    return shown


def text(result: RankingResult, ranks: Sequence[int] = RANKS) -> str:
    """Return mAP, mINP and the CMC in lines, in percent, with their intervals and conditions."""
    summary = result.summary(ranks)
    shares = {name: _shown(result, name, share, _percents) for name, share in summary.items()}
    curve = [
        f"Rank-{rank:<3}: {shares[f'rank{rank}']}" for rank in ranks if f"rank{rank}" in shares
    ]
    lines = [
        "** Results **",
        f"mAP: {shares['mAP']}",
        f"mINP: {shares['mINP']}",
        "CMC curve",
        *curve,
        *(
            f"{name}: {_shown(result, name, each, _number)}"
            for name, each in result.further().items()
        ),
        conditions_line("", result.conditions, result),
    ]
    return "\n".join(filter(None, lines))


def _shown(
    result: RankingResult, name: str, value: float | None, form: Callable[[float | None], str]
) -> str:
    """Return a figure with its interval: ``52.1% [49.8%, 54.0%]``."""
    ends = ", ".join(map(form, result.intervals.get(name, ())))
    return f"{form(value)} [{ends}]" if ends and value is not None else form(value)


def _in_words(key: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return key if value else ""
    return _WORDS.get(key, f"{key.replace('_', ' ')} {{}}").replace("{}", _plain(value))


def _plain(value: Any) -> str:
    """Return a plain value in words: ``k1=20, k2=6``, ``flip then alpha_qe=(k=5)``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}{_option(each)}" for key, each in value.items())
    return " then ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _option(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"=({_plain(value)})" if value else ""
    return f"={value}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _percents(share: float | None) -> str:
    return f"{_percent(share)}%"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
