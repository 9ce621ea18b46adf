from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from reid_plugins_report.evidence.curves import LEVELS, precision_at_recall

from reidcore.evaluation import MatchRanks


def by_hand(all_ranks: list[list[int]]) -> list[float]:
    """The definition, query by query and level by level."""
    means = []
    for level in LEVELS:
        best = [
            max(
                place / rank
                for place, rank in enumerate(ranks, 1)
                if place / len(ranks) >= level - 1e-9
            )
            for ranks in all_ranks
            if ranks
        ]
        means.append(sum(best) / len(best))
    return means


def match_ranks(all_ranks: list[list[int]]) -> MatchRanks:
    first = np.cumsum([0, *map(len, all_ranks)])
    return MatchRanks(first, np.array([*chain(*all_ranks)], dtype=np.int64), 99)


def test_ranks_1_3_and_6() -> None:
    found = precision_at_recall(match_ranks([[1, 3, 6]]))
    assert found[[0, 33]].tolist() == [1.0, 1.0]
    assert found[[34, 66]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert found[[67, 100]].tolist() == [0.5, 0.5]


def test_precision_is_the_best_at_a_recall_or_beyond() -> None:
    assert precision_at_recall(match_ranks([[3, 4]])).tolist() == [0.5] * 101


def test_it_is_the_definition_on_many_queries() -> None:
    lots = np.random.default_rng(1)
    ranks = [
        sorted(lots.choice(np.arange(1, 60), lots.integers(0, 9), replace=False).tolist())
        for _ in range(50)
    ]
    np.testing.assert_allclose(precision_at_recall(match_ranks(ranks)), by_hand(ranks))


def test_no_matches_give_no_curve() -> None:
    assert precision_at_recall(match_ranks([[], []])).tolist() == []
