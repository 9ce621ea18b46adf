"""The ranks of the true matches: all that CMC, AP and INP need.

The rank of a query's i-th nearest match is i plus the number of non-matches no farther than it
(nearer than it, for optimistic ties). So nothing is sorted but the matches themselves: one pass
over the gallery counts how many items lie within the distance of each match, and the query's own
matches and ignored items among them are then taken off. The counts do not depend on the order
of the gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reidcore.errors import UnknownNameError, did_you_mean, quoted
from reidcore.evaluation.counting import Keys, Scan
from reidcore.evaluation.distances import Distances
from reidcore.evaluation.labels import Int64
from reidcore.evaluation.matches import Related, Relations

TIES = ("pessimistic", "optimistic")


@dataclass(frozen=True, eq=False)
class MatchRanks:
    """Where each query's matches stand in its ranking, counted from 1.

    Args:
        first: (Q + 1,) where each query's ranks begin.
        ranks: (N,) the ranks of one query's matches after another's, nearest first.
        num_gallery: how many gallery items there are.
    """

    first: Int64
    ranks: Int64
    num_gallery: int


def match_ranks(
    distances: Distances, relations: Relations, ties: str = "pessimistic"
) -> MatchRanks:
    """Rank the matches of every query.

    Args:
        distances: of Q queries to G gallery items.
        relations: which gallery items match a query and which it ignores.
        ties: ``"pessimistic"``: a non-match at a match's distance stands before it;
            ``"optimistic"``: behind it.

    Raises:
        UserError: if ``ties`` is neither, or a distance is NaN.
    """
    check_known("ties", ties, TIES)
    strict = ties == "optimistic"
    queries, gallery = distances.shape
    sizes = np.zeros(queries, dtype=np.int64)
    parts: list[Int64] = [np.empty(0, dtype=np.int64)]
    for scan in distances.scans():
        related = relations.rows(scan.start, scan.stop)
        sizes[scan.start : scan.stop] = np.bincount(
            related.owner[related.match], minlength=scan.stop - scan.start
        )
        parts.append(_ranks_in(scan, related, strict))
    return MatchRanks(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(parts), gallery)


def _ranks_in(scan: Scan, related: Related, strict: bool) -> Int64:
    keys, owner = scan.keys(related.first, related.items), related.owner
    order = np.lexsort((-keys, owner))  # farthest first: the loosest limit leads
    keys, match = keys[order], related.match[order]
    own = _within(keys, owner, related.first, strict)[match]

    sizes = np.bincount(owner[match], minlength=scan.stop - scan.start)
    first = np.concatenate([[0], np.cumsum(sizes)])
    nonmatches = scan.counts(keys[match], first, strict) - own
    # Position 1 is the nearest match, which the order put last.
    position = np.repeat(first[1:], sizes) - np.arange(first[-1])
    ranks = np.empty(first[-1], dtype=np.int64)
    ranks[np.repeat(first[:-1], sizes) + position - 1] = position + nonmatches
    return ranks


def _within(keys: Keys, owner: Int64, first: Int64, strict: bool) -> Int64:
    """Count, for each key, the keys of its owner that are within it.

    Args:
        keys: (N,) each owner's together, farthest first.
        owner: (N,) whose key each is.
        first: where each owner's keys begin.
        strict: count lesser keys; otherwise lesser or equal ones.
    """
    # Compared, not subtracted: two infinite distances are a tie, and their difference is NaN.
    changes = (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), dtype=bool), changes]))
    lengths = np.diff(np.append(starts, len(keys)))  # of the runs of equal keys
    begin = np.repeat(starts, lengths)
    end = begin + np.repeat(lengths, lengths)
    counts: Int64 = first[owner + 1] - (end if strict else begin)
    return counts


def check_known(name: str, value: str, known: Sequence[str]) -> None:
    """Refuse a rule that there is not.

    Raises:
        UnknownNameError: naming the nearest one.
    """
    if value not in known:
        raise UnknownNameError(
            f"{name} is {' or '.join(known)}, not {quoted(value)}", did_you_mean(value, known)
        )
