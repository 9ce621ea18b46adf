"""Intervals: what they are made of, and whether they hold the truth on fresh identities."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_calibration import pairs as pairs_module
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.intervals import error_sums, share_interval
from reid_plugins_calibration.similarity_counts import HALF, edge, spread_of
from scipy.stats import beta, t


def test_sums_and_variances_are_those_of_the_definition(draw, monkeypatch) -> None:
    monkeypatch.setattr(pairs_module, "_ROWS", 9)
    monkeypatch.setattr(pairs_module, "_COLUMNS", 20)
    items = make_items(*draw(30, images=4))
    place = HALF - HALF // 8
    sums = error_sums(items, [place])
    similarity = items.features @ items.features.T
    count = items.num_identities
    accepted, pairs = np.zeros((count, count)), np.zeros((count, count))
    for i in range(len(items)):
        for j in range(len(items)):
            if i != j and items.cameras[i] != items.cameras[j]:
                at = items.identities[i], items.identities[j]
                pairs[at] += 1
                accepted[at] += similarity[i, j] >= edge(place)
    other = ~np.eye(count, dtype=bool)
    hits, trials = accepted[other].sum() / 2, pairs[other].sum() / 2
    excess = (accepted - hits / trials * pairs) * other
    squares = (excess**2).sum() / 2
    variance = (excess.sum(axis=1) ** 2).sum() * count / (count - 1) - squares
    assert variance > 1.2 * squares  # people are alike or not, beyond single pairs of them
    found = sums.false_matches
    assert (found.hits[0], found.trials, found.clusters) == (hits, trials, count * (count - 1) // 2)
    assert found.variance[0] == pytest.approx(max(variance, squares))
    rejected = np.diag(pairs - accepted) / 2
    share = rejected.sum() / (np.diag(pairs).sum() / 2)
    own = ((rejected - share * np.diag(pairs) / 2) ** 2).sum() * count / (count - 1)
    found = sums.false_nonmatches
    assert (found.hits[0], found.trials) == (rejected.sum(), np.diag(pairs).sum() / 2)
    assert found.variance[0] == pytest.approx(own)


def test_independent_trials_have_the_interval_of_clopper_and_pearson() -> None:
    rate = share_interval(7, 100, 7 * 0.93, clusters=100, identities=10**9)
    assert (rate.low, rate.high) == pytest.approx((0.02861, 0.13892), abs=3e-5)


def test_trials_that_depend_on_one_another_say_less() -> None:
    rates = [share_interval(40, 1000, variance, 50, 50) for variance in (38, 380, 3800)]
    widths = [rate.high - rate.low for rate in rates]
    assert widths == sorted(widths)
    assert widths[0] < widths[1] / 2 < widths[2]


def test_few_identities_widen_an_interval_as_the_distribution_of_t_does() -> None:
    rate = share_interval(7, 100, 7 * 0.93, clusters=100, identities=5)
    independent = 100 * (t.ppf(0.975, 99) / t.ppf(0.975, 4)) ** 2
    hits = 0.07 * independent
    assert rate.low == pytest.approx(beta.ppf(0.025, hits, independent - hits + 1))
    assert rate.high == pytest.approx(beta.ppf(0.975, hits + 1, independent - hits))


def test_pairs_of_identities_are_never_less_than_independent() -> None:
    """Of four people two and two are twins: each has one false match, whoever is left out."""
    features = np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.01, 1.0]])
    items = make_items(features, np.arange(4), np.zeros(4, int))
    found = error_sums(items, [HALF + HALF // 2]).false_matches
    assert (found.hits[0], found.trials) == (2, 6)
    assert found.variance[0] == pytest.approx(2 * (2 / 3) ** 2 + 4 * (1 / 3) ** 2)


def test_without_a_hit_each_pair_of_identities_is_one_trial() -> None:
    rate = share_interval(0, 100_000, 0, clusters=300, identities=10**6)
    assert rate.low == 0
    assert rate.high == pytest.approx(3 / 300, rel=0.25)  # the rule of three, on both sides


def test_intervals_hold_what_fresh_identities_have(draw) -> None:
    """Of 100 draws the intervals of 90 to 99 % hold the rates and the threshold of the world."""
    draws, wanted = 100, 1e-2
    world = spread_of(make_items(*draw(1500, seed=99)))
    place = world.at_fmr(wanted)
    fmr, fnmr = world.fmr(place), world.fnmr(place)
    held = np.zeros(3)
    fresh = []
    for seed in range(draws):
        items = make_items(*draw(100, seed=seed))
        spread = spread_of(items)
        own = spread.at_fmr(wanted)
        sums = error_sums(items, [own, place])
        at_own, at_place = sums.false_matches.rate(0), sums.false_matches.rate(1)
        nonmatching = sums.false_nonmatches.rate(1)
        held += (
            spread.at_fmr(at_own.high) <= place <= spread.at_fmr(at_own.low),
            at_place.low <= fmr <= at_place.high,
            nonmatching.low <= fnmr <= nonmatching.high,
        )
        fresh.append(world.fmr(own))
    assert (held >= 0.90 * draws).all()
    assert (held < draws).all()
    assert np.mean(fresh) == pytest.approx(wanted, rel=0.1)
