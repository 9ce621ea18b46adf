"""Means over random draws of queries and gallery, and the draws themselves.

A draw is the same on every machine and under every version of numpy: of a seed only the raw numbers
of PCG64 are used, which numpy promises to keep, and none of its distributions, which it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.choices import check_count
from reidcore.evaluation import Distances, Labels, RankingResult, check_shapes

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Evaluate = Callable[[Distances, Labels, int, str], RankingResult]

_Value = TypeVar("_Value")
_RANKS = (1, 3, 5, 10, 20, 50)  # of which the share of each query is kept


def check_draws(draws: int, seed: int) -> None:
    """Refuse numbers that nothing can be drawn with.

    Raises:
        UserError: if there is no draw, or the seed is negative.
    """
    check_count("draws", draws)
    check_count("seed", seed, least=0)


def lots(seed: int, draw: int, count: int) -> npt.NDArray[np.uint64]:
    """Return (count,) random numbers of 64 bits, which only the seed and the draw decide."""
    numbers: npt.NDArray[np.uint64] = np.random.PCG64([seed, draw]).random_raw(count)
    return numbers


def draw_of_each(groups: npt.NDArray[np.generic], count: int, seed: int, draw: int) -> Int64:
    """Draw some members of every group, without replacement.

    Args:
        groups: (N,) or (N, columns) the group of each row, such as its identity.
        count: how many of each group; all of a smaller one.
        seed: what the draws depend on.
        draw: which of them, counted from 0.

    Returns:
        The rows drawn, ascending.
    """
    kinds, group = np.unique(groups, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.lexsort((lots(seed, draw, len(group)), group))
    sizes = np.bincount(group, minlength=len(kinds))
    place = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < count])


def evaluate_part(
    evaluate: Evaluate,
    distances: Distances,
    labels: Labels,
    max_rank: int,
    ties: str,
    queries: Int64 | None = None,
    gallery: Int64 | None = None,
) -> RankingResult:
    """Evaluate some queries against some gallery items; the other queries have no part in it.

    Args:
        evaluate: how, such as the ``evaluate`` of another protocol.
        distances: (Q, G).
        labels: of the same queries and gallery items.
        max_rank: how far the CMC goes.
        ties: see `reidcore.evaluation.match_ranks`.
        queries: which queries, ascending; None for all.
        gallery: which gallery items, ascending; None for all.

    Returns:
        The figures of all Q queries, skipped where they had no part.
    """
    check_shapes(distances, labels)
    count = labels.shape[0]
    rows, columns = map(_unless_all, (queries, gallery), labels.shape)
    if rows is not None or columns is not None:
        distances, labels = distances.take(rows, columns), labels.take(rows, columns)
    part = evaluate(distances, labels, max_rank, ties)
    return part if rows is None else _among_all(part, rows, count)


def mean_over_draws(results: Sequence[RankingResult], seed: int | None) -> RankingResult:
    """Average what several draws gave for the same queries.

    CMC, mAP, mINP and further figures are the means of those of the draws, with the standard
    deviations of the draws beside them (``mAP_std``, ``rank1_std``, ..., divided by their number
    less one). ``ap`` and ``inp`` of a query are its means over the draws that it took part in; its
    ``first_rank`` is that of the first of them. ``per_query`` tells what it adds to the means over
    draws, some of which it may have missed.

    Args:
        results: one for each draw, of the same Q queries.
        seed: what the draws were made with, to be told; None where they were given.
    """
    curves = _curves(results)
    mean_ap, mean_inp = ([getattr(each, name) for each in results] for name in ("mAP", "mINP"))
    taking_part = np.stack([each.first_rank > 0 for each in results])  # (draws, Q)
    first_draw = taking_part.argmax(0)
    ranks = np.stack([each.first_rank for each in results])
    further = _by_name(each.figures for each in results)
    spread = {"mAP": mean_ap, "rank1": curves[:, 0].tolist()} | further
    return replace(
        results[0],
        cmc=curves.mean(0),
        mAP=float(np.mean(mean_ap)),
        mINP=float(np.mean(mean_inp)),
        ap=_mean(np.stack([each.ap for each in results])),
        inp=_mean(np.stack([each.inp for each in results])),
        first_rank=ranks[first_draw, np.arange(ranks.shape[1])],
        num_gallery=max(each.num_gallery for each in results),
        figures={name: float(_mean(np.array(values))) for name, values in further.items()}
        | {f"{name}_std": _deviation(values) for name, values in spread.items()},
        own_files=np.unique(np.concatenate([each.own_files for each in results])),
        per_query=_contributions(results),
        conditions={**results[0].conditions, "draws": len(results)}
        | ({} if seed is None else {"seed": int(seed)}),
    )


def _unless_all(rows: Int64 | None, count: int) -> Int64 | None:
    return None if rows is None or len(rows) == count else rows


def _among_all(part: RankingResult, queries: Int64, count: int) -> RankingResult:
    """Tell the figures of some of ``count`` queries as figures of all."""

    def spread(values: Float64) -> Float64:
        whole = np.full(count, np.nan)
        whole[queries] = values
        return whole

    first_rank = np.zeros(count, dtype=np.int64)
    first_rank[queries] = part.first_rank
    return replace(
        part,
        ap=spread(part.ap),
        inp=spread(part.inp),
        first_rank=first_rank,
        own_files=queries[part.own_files],
        per_query={name: spread(values) for name, values in part.per_query.items()},
    )


def _curves(results: Sequence[RankingResult]) -> Float64:
    """Return (draws, depth) the CMCs; one of a smaller gallery stays at its end, which is 1."""
    depth = max(len(each.cmc) for each in results)
    return np.stack([np.pad(each.cmc, (0, depth - len(each.cmc)), mode="edge") for each in results])


def _contributions(results: Sequence[RankingResult]) -> dict[str, Float64]:
    """Return what each query adds to the means over draws of all figures that queries have."""
    each = [
        {"mAP": result.ap, "mINP": result.inp, **_hits(result), **result.per_query}
        for result in results
    ]
    return {name: _added(np.stack(values)) for name, values in _by_name(each).items()}


def _added(values: Float64) -> Float64:
    """Return (Q,) values whose mean is the mean of the draws' means, and varies as that does.

    Where all queries take part in the same draws, these are their means over the draws. Else a
    query weighs as much as its draws give it: each is told by the mean and by how far it moves
    that, to first order.

    Args:
        values: (draws, Q) NaN where a query takes no part.
    """
    known = ~np.isnan(values)
    taking_part, used = known.any(0), known.any(1)  # (Q,), (draws,)
    values, known = values[used], known[used]
    if (known == taking_part).all():
        return _mean(values)
    sizes = known.sum(1, keepdims=True)
    means = np.where(known, values, 0).sum(1, keepdims=True) / sizes
    moves = np.where(known, values - means, 0) / sizes
    return np.where(taking_part, means.mean() + taking_part.sum() * moves.mean(0), np.nan)


def _hits(result: RankingResult) -> dict[str, Float64]:
    found = result.first_rank > 0
    return {
        f"rank{rank}": np.where(result.valid, found & (result.first_rank <= rank), np.nan)
        for rank in _RANKS
    }


def _by_name(mappings: Iterable[Mapping[str, _Value]]) -> dict[str, list[_Value]]:
    gathered: dict[str, list[_Value]] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            gathered.setdefault(name, []).append(value)
    return gathered


def _mean(values: Float64) -> Float64:
    """Return the mean over the first axis of what is not NaN; NaN where that is nothing."""
    known = ~np.isnan(values)
    sums = np.where(known, values, 0).sum(0)
    means: Float64 = np.divide(
        sums, known.sum(0), out=np.full_like(sums, np.nan), where=known.any(0)
    )
    return means


def _deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of draws; NaN for a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
