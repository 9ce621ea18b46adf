"""Figures of other evaluations beside the main ones, since papers report them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reidcore.evaluation import NoMatchError, RankingResult

_NAN = float("nan")


def unless_matchless(evaluate: Callable[[], RankingResult]) -> RankingResult | None:
    """Return what an evaluation finds; None if it leaves no query a match."""
    try:
        return evaluate()
    except NoMatchError:
        return None


def beside(result: RankingResult, others: Mapping[str, RankingResult | None]) -> RankingResult:
    """Add the mAP and the rank-1 share of other evaluations of the same Q queries.

    Args:
        result: the main evaluation.
        others: a name, such as ``cc``, with what was found under other rules; the figures are
            ``cc_mAP`` and ``cc_rank1``, NaN where nothing was found.

    Returns:
        The main evaluation with these figures, and what each query adds to them.
    """
    figures, per_query = dict(result.figures), dict(result.per_query)
    for name, other in others.items():
        if other is None:
            figures |= {f"{name}_mAP": _NAN, f"{name}_rank1": _NAN}
            continue
        figures |= {f"{name}_mAP": other.mAP, f"{name}_rank1": other.cmc_at(1)}
        of_each = other.contributions((1,))
        per_query |= {f"{name}_mAP": of_each["mAP"], f"{name}_rank1": of_each["rank1"]}
    return replace(result, figures=figures, per_query=per_query)
