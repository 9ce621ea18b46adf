"""Pairs of nearly equal hashes among many, without comparing each with each.

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012): of hashes that differ in at most d bits, cut into d + 2 bands, two bands at
least are equal. So only hashes that agree in two bands, 10 choices of some 25 bits for d = 3, need
be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from reidcore.data import Int64Array

Hashes = npt.NDArray[np.uint64]

_BITS = 64
_AT_A_TIME = 1 << 20
_FEATURELESS = 6
"""A picture that grows brighter in fewer places than this is too plain to be told from others."""


def clusters(across: Hashes, down: Hashes, distance: int) -> Int64Array:
    """Group pictures whose two hashes differ in at most so many bits each, directly or by others.

    Args:
        across: (N,) first hash of each picture.
        down: (N,) second hash.
        distance: how many bits of each may differ.

    Returns:
        (N,) the lowest number of a picture in the same group; -1 where a picture is alone, or too
        plain to say.
    """
    parents = np.arange(len(across))
    rich = np.flatnonzero(np.bitwise_count(across) + np.bitwise_count(down) >= _FEATURELESS)
    for left, right in near_pairs(across[rich], down[rich], distance):
        for one, other in zip(rich[left].tolist(), rich[right].tolist(), strict=True):
            _unite(parents, one, other)
    roots = np.array([_root(parents, number) for number in range(len(parents))], dtype=np.int64)
    alone = np.bincount(roots, minlength=len(roots))[roots] == 1 if len(roots) else roots == 0
    roots[alone] = -1
    return roots


def near_pairs(
    across: Hashes, down: Hashes, distance: int
) -> Iterator[tuple[Int64Array, Int64Array]]:
    """Yield pairs of places, some of them more than once, piece by piece.

    Equal pictures are paired with their neighbour alone, so that a thousand of them are 999 pairs.
    """
    order = np.lexsort((down, across))
    same = (across[order][1:] == across[order][:-1]) & (down[order][1:] == down[order][:-1])
    yield order[:-1][same], order[1:][same]
    firsts = order[np.concatenate([[True], ~same])] if len(order) else order
    first, second = across[firsts], down[firsts]
    for key in _keys(first, distance):
        by_key = np.argsort(key, kind="stable")
        for left, right in _pairs_of_runs(key[by_key]):
            one, other = by_key[left], by_key[right]
            near = np.bitwise_count(first[one] ^ first[other]) <= distance
            near &= np.bitwise_count(second[one] ^ second[other]) <= distance
            yield firsts[one[near]], firsts[other[near]]


def _keys(hashes: Hashes, distance: int) -> Iterator[Hashes]:
    """Yield the hashes with all but two of their bands blanked out, for every two."""
    edges = np.linspace(0, _BITS, distance + 3).astype(int)
    bands = [np.uint64((1 << stop) - (1 << start)) for start, stop in pairwise(edges.tolist())]
    for one, other in combinations(bands, 2):
        yield hashes & (one | other)


def _pairs_of_runs(ordered: Hashes) -> Iterator[tuple[Int64Array, Int64Array]]:
    """Yield all pairs of places whose values are equal, a bounded number at a time."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(ordered))
    # How many places of its own run follow each place.
    after = np.repeat(ends, ends - starts) - np.arange(len(ordered)) - 1
    upto = np.cumsum(after)
    begin = 0
    while begin < len(ordered):
        done = int(upto[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(upto, done + _AT_A_TIME, side="right")))
        counts = after[begin:end]
        if counts.any():
            left = np.repeat(np.arange(begin, end), counts)
            shift = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
            yield left, left + 1 + shift
        begin = end


def _root(parents: Int64Array, number: int) -> int:
    while (above := int(parents[number])) != number:
        parents[number] = parents[above]
        number = above
    return number


def _unite(parents: Int64Array, one: int, other: int) -> None:
    low, high = sorted((_root(parents, one), _root(parents, other)))
    parents[high] = low
