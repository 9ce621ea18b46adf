"""Rankings written out: each query's gallery is sorted, and walked from its nearest item on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pytest

from reidcore.errors import DataError
from reidcore.evaluation import EvaluationProtocol, MatrixDistances, RankingResult
from tests.plugins.reid_plugins_standard.protocols.problems import Problem

Pair = Callable[[int, int], bool]
"""What is said of a query and a gallery item, by their numbers."""


@dataclass(frozen=True)
class Expected:
    """What plain Python finds.

    Attributes:
        ap: of each query, NaN without a match.
        inp: likewise.
        first_rank: of each query, 0 without a match.
    """

    ap: list[float]
    inp: list[float]
    first_rank: list[int]

    @property
    def valid(self) -> list[int]:
        """The queries that have a match."""
        return [query for query, rank in enumerate(self.first_rank) if rank]

    @property
    def mAP(self) -> float:
        """Mean over the valid queries."""
        return fmean(self.ap[query] for query in self.valid)

    @property
    def mINP(self) -> float:
        """Mean over the valid queries."""
        return fmean(self.inp[query] for query in self.valid)

    def cmc_at(self, rank: int) -> float:
        """Share of valid queries whose first match stands at that rank or before it."""
        return fmean(self.first_rank[query] <= rank for query in self.valid)


def nobody(query: int, item: int) -> bool:
    """Say of no pair that it is junk."""
    return False


def match_places(
    row: npt.ArrayLike,
    query: int,
    is_match: Pair,
    is_junk: Pair = nobody,
    ties: str = "pessimistic",
) -> list[int]:
    """Return the ranks of a query's matches, nearest first, once its junk is gone.

    Args:
        row: (G,) distances of the query.
        query: its number.
        is_match: whether an item is a match.
        is_junk: whether an item is left out, match or not.
        ties: whether a non-match stands before a match at the same distance, or behind it.
    """
    kept = [
        (distance, is_match(query, item) == (ties == "pessimistic"), is_match(query, item))
        for item, distance in enumerate(np.asarray(row).tolist())
        if not is_junk(query, item)
    ]
    return [place for place, (_, _, match) in enumerate(sorted(kept), start=1) if match]


def average_precision(places: list[int], kind: str = "plain") -> float:
    """Return the area below precision over recall, by steps or by trapezoids.

    Args:
        places: ranks of the matches, ascending.
        kind: ``plain`` or ``trapezoid``, whose curve begins at a precision of 1.
    """
    area, found = 0.0, 0
    before = 1.0  # precision one place up
    for place in range(1, places[-1] + 1):
        found += place in places
        precision = found / place
        if place in places:
            area += (precision if kind == "plain" else (before + precision) / 2) / len(places)
        before = precision
    return area


def expected(
    distances: npt.ArrayLike,
    is_match: Pair,
    is_junk: Pair = nobody,
    ap: str = "plain",
    ties: str = "pessimistic",
) -> Expected:
    """Evaluate by sorting each gallery.

    Args:
        distances: (Q, G).
        is_match: whether an item is a match of a query.
        is_junk: whether a query leaves an item out, match or not.
        ap: ``plain`` or ``trapezoid``.
        ties: ``pessimistic`` or ``optimistic``.
    """
    found = [
        match_places(row, query, is_match, is_junk, ties)
        for query, row in enumerate(np.asarray(distances))
    ]
    return Expected(
        [average_precision(places, ap) if places else nan for places in found],
        [len(places) / places[-1] if places else nan for places in found],
        [places[0] if places else 0 for places in found],
    )


def assert_agree(result: RankingResult, reference: Expected) -> None:
    """Hold a result to what plain Python finds: every query, the means and the whole curve."""
    assert result.first_rank.tolist() == reference.first_rank
    np.testing.assert_allclose(result.ap, reference.ap, rtol=1e-12)
    np.testing.assert_allclose(result.inp, reference.inp, rtol=1e-12)
    assert result.mAP == pytest.approx(reference.mAP, rel=1e-12)
    assert result.mINP == pytest.approx(reference.mINP, rel=1e-12)
    curve = [reference.cmc_at(rank) for rank in range(1, len(result.cmc) + 1)]
    np.testing.assert_allclose(result.cmc, curve, rtol=1e-12)


def assert_protocol(
    protocol: EvaluationProtocol,
    problem: Problem,
    is_match: Pair,
    is_junk: Pair = nobody,
    ap: str = "plain",
) -> bool:
    """Hold a protocol to the definition on one problem, under both rules of ties.

    Args:
        protocol: what is tested.
        problem: what it is tested on.
        is_match: whether an item is a match of a query.
        is_junk: whether a query leaves an item out, match or not.
        ap: the kind of average precision that is expected.

    Returns:
        Whether there was anything to rank; a problem without any match must be refused.
    """
    distances = MatrixDistances(problem.distances)
    if not expected(problem.distances, is_match, is_junk).valid:
        with pytest.raises(DataError, match="match"):
            protocol.evaluate(distances, problem.labels)
        return False
    for ties in ("pessimistic", "optimistic"):
        result = protocol.evaluate(distances, problem.labels, ties=ties)
        reference = expected(problem.distances, is_match, is_junk, ap, ties)
        assert_agree(result, reference)
    return True
