"""Joining tracks: both methods keep what time and place forbid."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_link.constraints import Constraints, reachable
from reid_plugins_link.grouping import METHODS, by_average, by_chains, group

from reidcore.errors import UserError


def free(count: int) -> Constraints:
    """Everything may follow everything before it."""
    return Constraints(np.triu(np.ones((count, count), bool), k=1), np.zeros((count, count), bool))


def symmetric(pairs: dict[tuple[int, int], float], count: int, other: float = -0.5) -> np.ndarray:
    scores = np.full((count, count), other)
    for (a, b), value in pairs.items():
        scores[a, b] = scores[b, a] = value
    return scores


def slow_average(scores: np.ndarray, forbidden: np.ndarray) -> set[frozenset[int]]:
    """Merge the best permitted pair of groups, by its definition."""
    groups = [frozenset([k]) for k in range(len(scores))]
    while True:
        best = max(
            (
                (np.mean([scores[a, b] for a in x for b in y]), x, y)
                for i, x in enumerate(groups)
                for y in groups[i + 1 :]
                if not any(forbidden[a, b] for a in x for b in y)
            ),
            key=lambda each: each[0],
            default=(-1.0, None, None),
        )
        if best[0] < 0:
            return set(groups)
        groups = [each for each in groups if each not in best[1:]] + [best[1] | best[2]]


def sets(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@given(st.integers(1, 9), st.integers(0, 2**32), st.floats(0, 0.6))
def test_average_linkage_with_large_distances_is_the_constrained_one(count, seed, density) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.uniform(-0.4, 0.6, (count, count))
    scores = (scores + scores.T) / 2
    forbidden = np.triu(draw.random((count, count)) < density, k=1)
    forbidden |= forbidden.T
    labels = by_average(scores, Constraints(free(count).follows, forbidden))
    assert sets(labels) == slow_average(scores, forbidden)


def test_what_a_person_joined_counts_as_all_of_its_tracks() -> None:
    """Of three tracks that are one and a fourth like it, a fifth is far from three of four."""
    scores = symmetric({(0, 1): 0.5, (0, 2): -0.2, (1, 2): 0.4}, 3)
    assert group("average", scores, free(3)).tolist() == [0, 0, 0]
    assert group("average", scores, free(3), np.array([3, 1, 1])).tolist() == [0, 0, 1]
    apart = np.array([[0, 1], [1, 0]], bool)
    alike = symmetric({(0, 1): 0.9}, 2)
    forbidden = Constraints(free(2).follows, apart)
    assert group("average", alike, forbidden, np.array([1, 40])).tolist() == [0, 1]


def test_one_forbidden_pair_among_many_alike_is_kept_apart() -> None:
    scores, constraints = np.full((60, 60), 0.4), free(60)
    constraints.forbidden[3, 41] = constraints.forbidden[41, 3] = True
    labels = by_average(scores, constraints)
    assert labels[3] != labels[41]
    assert len(set(labels.tolist())) == 2


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 12), density=st.floats(0.05, 1))
def test_both_methods_keep_all_constraints(method, seed, count, density) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.uniform(-0.3, 0.6, (count, count))
    scores = (scores + scores.T) / 2
    follows = np.triu(draw.random((count, count)) < density, k=1)
    forbidden = ~(reachable(follows) | reachable(follows).T)
    # As of overlapping cameras: one can follow the other, and a third both, but not as one.
    barred = np.triu(draw.random((count, count)) < 0.1, k=1)
    forbidden |= barred | barred.T
    follows &= ~forbidden
    np.fill_diagonal(forbidden, False)
    labels = group(method, scores, Constraints(follows, forbidden))
    same = labels[:, None] == labels[None, :]
    assert not (same & forbidden).any()
    for place in range(count):
        before = np.flatnonzero(labels[:place] == labels[place])
        assert not len(before) or follows[before, place].any()


def test_a_score_of_exactly_nothing_joins() -> None:
    for method in METHODS:
        assert len(set(group(method, symmetric({(0, 1): 0.0}, 2), free(2)))) == 1
        assert len(set(group(method, symmetric({(0, 1): -1e-6}, 2), free(2)))) == 2


def test_chains_choose_the_best_sum_and_not_the_best_pair() -> None:
    """The best pair alone would leave two tracks alone."""
    scores = symmetric({(0, 2): 0.4, (0, 3): 0.5, (1, 3): 0.4}, 4)
    follows = np.zeros((4, 4), bool)
    follows[[0, 0, 1], [2, 3, 3]] = True
    assert sets(by_chains(scores, Constraints(follows, np.zeros((4, 4), bool)))) == {
        frozenset({0, 2}), frozenset({1, 3}),
    }  # fmt: skip


def test_a_chain_with_a_forbidden_pair_is_cut_at_its_weakest_step() -> None:
    scores = symmetric({(0, 1): 0.5, (1, 2): 0.1, (2, 3): 0.5}, 4)
    constraints = free(4)
    constraints.forbidden[0, 3] = constraints.forbidden[3, 0] = True
    constraints.follows[0, 3] = False
    assert sets(by_chains(scores, constraints)) == {frozenset({0, 1}), frozenset({2, 3})}


def test_average_uses_all_pairs_where_a_chain_uses_steps() -> None:
    scores = symmetric({(0, 1): 0.2, (1, 2): 0.2}, 3, other=-0.9)
    assert len(sets(by_chains(scores, free(3)))) == 1
    assert len(sets(by_average(scores, free(3)))) == 2


def test_no_tracks_and_one_track_are_grouped_too() -> None:
    for method in METHODS:
        assert group(method, np.zeros((0, 0)), free(0)).tolist() == []
        assert group(method, np.ones((1, 1)), free(1)).tolist() == [0]


def test_an_unknown_method_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"'chains'\. Did you mean 'chain'"):
        group("chains", np.zeros((1, 1)), free(1))


def test_a_missing_scipy_names_its_extra(monkeypatch) -> None:
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr("reid_plugins_link.grouping.import_module", missing)
    with pytest.raises(UserError, match=r"reidcore\[clustering\]"):
        group("average", np.zeros((2, 2)), free(2))
