"""Intervals by drawing identities: what they cover, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest

from reidcore.errors import DataError
from reidcore.evaluation import bootstrap

SIMULATIONS, IDENTITIES, MOST = 400, 80, 8


def simulated(rng, mean: float, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the identities of queries, and figures that those of one identity have in common."""
    sizes = rng.integers(1, MOST + 1, IDENTITIES)
    groups = np.repeat(np.arange(IDENTITIES), sizes)
    shared = rng.normal(size=IDENTITIES)[groups]
    return groups, mean + effect * shared + 0.7 * rng.normal(size=len(groups))


def share(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


@pytest.fixture(scope="module")
def truths() -> dict[str, float]:
    """What the figures are of endlessly many identities."""
    rng = np.random.default_rng(7)
    normal = rng.normal(size=2_000_000)
    spread = np.sqrt(1 + 0.7**2)
    return {"mAP": share(0.8 + spread * normal).mean(), "rank1": (0.8 + spread * normal > 0).mean()}


def test_intervals_of_means_cover_the_truth(truths) -> None:
    rng, covered = np.random.default_rng(0), dict.fromkeys(truths, 0)
    for _ in range(SIMULATIONS):
        groups, logits = simulated(rng, 0.8)
        figures = {"mAP": share(logits), "rank1": (logits > 0).astype(float)}
        for name, (low, high) in bootstrap.intervals(figures, groups).items():
            covered[name] += low <= truths[name] <= high
    assert all(0.90 <= each / SIMULATIONS <= 0.97 for each in covered.values()), covered


def test_intervals_of_paired_differences_cover_the_truth() -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(SIMULATIONS):
        groups, a = simulated(rng, 0.5)
        gain = 0.1 + 0.3 * rng.normal(size=IDENTITIES)[groups] + 0.3 * rng.normal(size=len(a))
        found = bootstrap.paired_interval(a, a + gain, groups)
        covered += found.low <= 0.1 <= found.high
    assert 0.90 <= covered / SIMULATIONS <= 0.97


def test_queries_taken_for_independent_would_promise_too_much() -> None:
    groups, logits = simulated(np.random.default_rng(2), 0.0, effect=3.0)
    (low, high), (low_each, high_each) = (
        bootstrap.intervals({"mAP": logits}, owners)["mAP"]
        for owners in (groups, np.arange(len(groups)))
    )
    assert high - low > 1.4 * (high_each - low_each)


def test_equal_arguments_give_equal_intervals_in_any_order_of_queries() -> None:
    rng = np.random.default_rng(3)
    groups, values = simulated(rng, 0.0)
    found = bootstrap.intervals({"mAP": values}, groups)
    assert found == bootstrap.intervals({"mAP": values}, groups)
    order = rng.permutation(len(groups))
    assert bootstrap.intervals({"mAP": values[order]}, groups[order])["mAP"] == pytest.approx(
        found["mAP"], abs=1e-12
    )
    assert found != bootstrap.intervals({"mAP": values}, groups, seed=1)


def test_queries_without_a_part_do_not_count() -> None:
    groups, values = simulated(np.random.default_rng(4), 0.0)
    padded = np.append(values, np.nan), np.append(groups, groups[0])
    assert bootstrap.intervals({"mAP": padded[0]}, padded[1]) == bootstrap.intervals(
        {"mAP": values}, groups
    )


def test_a_figure_of_few_identities_is_drawn_among_those_it_has() -> None:
    values = np.array([0.2, 0.4, np.nan, np.nan, np.nan, np.nan])
    found = bootstrap.intervals(
        {"few": values, "one": np.where(values < 0.3, values, np.nan)}, np.arange(6)
    )
    assert list(found) == ["few"]
    assert found["few"] == pytest.approx((0.2, 0.4))


@pytest.mark.parametrize(("queries", "least", "most"), [(12, 0.97, 1.03), (200, 1.0, 1.1)])
def test_intervals_of_few_identities_are_as_wide_as_students(queries, least, most) -> None:
    """Twelve identities have a part; where others are drawn too, there are now more, now fewer."""
    rng, ratios = np.random.default_rng(8), []
    for seed in range(20):
        values = np.full(queries, np.nan)
        values[:12] = rng.normal(size=12)
        found = bootstrap.intervals({"x": values}, np.arange(queries), resamples=4000, seed=seed)
        half = 2.200985 * np.nanstd(values, ddof=1) / 12**0.5  # Student's 97.5 % of 11 degrees
        ratios.append((found["x"][1] - found["x"][0]) / 2 / half)
    assert least < np.mean(ratios) < most


@pytest.mark.parametrize(("value", "ends"), [(0.0, (0, 0.3085)), (1.0, (0.6915, 1))])
def test_all_or_none_of_ten_people_have_the_exact_interval(value, ends) -> None:
    """The ends are Clopper and Pearson's, as tables have them, whatever queries a person has."""
    groups = np.repeat(np.arange(10), [1, 4] * 5)
    found = bootstrap.intervals({"hit": np.full(25, value)}, groups, shares=["hit"])
    assert found["hit"] == pytest.approx(ends, abs=1e-4)
    assert bootstrap.intervals({"hit": np.full(25, value)}, groups) == {"hit": (value, value)}


def test_the_ends_of_shares_are_shares() -> None:
    values = {"hit": np.array([1.5, 1, 1, 0.4, 1])}  # as the influence on a figure may be
    low, high = bootstrap.intervals(values, np.arange(5))["hit"]
    assert high > 1
    assert bootstrap.intervals(values, np.arange(5), shares=values) == {"hit": (low, 1.0)}


def test_a_level_of_less_gives_a_narrower_interval() -> None:
    groups, values = simulated(np.random.default_rng(5), 0.0)
    wide, narrow = (
        bootstrap.intervals({"x": values}, groups, level=level)["x"] for level in (0.95, 0.5)
    )
    assert wide[0] < narrow[0] < values.mean() + 0.2
    assert narrow[1] < wide[1]


def test_the_difference_is_the_second_less_the_first() -> None:
    groups, a = simulated(np.random.default_rng(6), 0.0)
    found = bootstrap.paired_interval(a, a + 0.25, groups)
    assert (found.difference, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0.1], [0.2, 0.3], [1, 2]), "figures of 1 and of 2 queries are no pairs"),
        (([0.1, np.nan], [0.2, 0.3], [1, 2]), "needs two identities"),
        (([0.1, 0.2], [0.2, 0.3], [1, 2, 3]), "of 2 queries, the identities of 3"),
    ],
)
def test_what_gives_no_interval_is_told(arguments, said) -> None:
    with pytest.raises(DataError, match=said):
        bootstrap.paired_interval(*map(np.array, arguments))
