"""Curves from similarity to probability, and the choice between them."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_calibration.images import FOLDS
from reid_plugins_calibration.probability import (
    Isotonic,
    Logistic,
    choose_curve,
    curve_from,
    probability_of,
)
from reid_plugins_calibration.similarity_counts import COARSE, centres

from reidcore.errors import DataError


def counts(match, nonmatch):
    """Return counts of about 1,000 pairs of each kind, by their densities, for each two folds."""
    densities = np.stack([nonmatch(centres()), match(centres())])
    expected = 1000 * densities / densities.sum(axis=1, keepdims=True)
    return np.random.default_rng(0).poisson(expected, (FOLDS, FOLDS, 2, COARSE))


def bell(middle, width):
    return lambda x: np.exp(-(((x - middle) / width) ** 2) / 2)


def test_two_bells_of_one_width_have_the_logistic_curve_of_theory() -> None:
    chosen = choose_curve(counts(bell(0.4, 0.2), bell(-0.2, 0.2)), identities=10_000)
    # log of the ratio of the densities: (0.6 x - 0.06) / 0.04
    assert chosen.logistic.slope == pytest.approx(15, rel=0.05)
    assert chosen.logistic.offset / chosen.logistic.slope == pytest.approx(-0.1, abs=0.01)
    assert chosen.curve.kind == "logistic"
    assert chosen.held_out["logistic"] > chosen.held_out["isotonic"]


def test_what_no_logistic_curve_follows_is_isotonic() -> None:
    def flat_then_steep(x):
        return np.where(x > 0.5, 8.0, 1.0)

    chosen = choose_curve(counts(flat_then_steep, lambda x: np.ones_like(x)), identities=1000)
    assert chosen.curve.kind == "isotonic"
    low, high = chosen.curve.log_odds(np.array([0.0, 0.8]))
    assert high - low == pytest.approx(np.log(8), abs=0.3)


def test_isotonic_never_falls_and_nothing_is_surer_than_the_identities() -> None:
    spread = counts(bell(0.6, 0.05), bell(-0.6, 0.05))
    spread[..., 700:] *= np.random.default_rng(1).integers(0, 2, COARSE - 700)
    chosen = choose_curve(spread, identities=18)
    for curve in (chosen.curve, chosen.logistic):
        odds = curve.log_odds(np.linspace(-1, 1, 501))
        assert (np.diff(odds) >= 0).all()
        chance = probability_of(odds, 0.5)
        assert chance.min() == pytest.approx(1 / 20)
        assert chance.max() == pytest.approx(19 / 20)


def test_likelihoods_are_of_identities_held_out() -> None:
    """A fold whose matches are all low is judged by curves that never saw it."""
    spread = counts(bell(0.5, 0.1), bell(-0.5, 0.1))
    fair = choose_curve(spread, 100).held_out
    spread[0, 0, 1] = spread[0, 0, 0]
    assert all(choose_curve(spread, 100).held_out[kind] < fair[kind] - 0.1 for kind in fair)


def test_pairs_of_one_identity_held_out_are_not_learnt_from() -> None:
    spread = counts(bell(0.5, 0.1), bell(-0.5, 0.1))
    each = np.arange(FOLDS - 1)
    spread[each, each, 0] = 0  # the last fold alone can be held out
    fair = choose_curve(spread, 100).held_out
    spread[:-1, -1] = spread[:-1, -1, ::-1]
    assert choose_curve(spread, 100).held_out == fair


def test_without_a_fold_that_has_both_nothing_is_held_out() -> None:
    spread = counts(bell(0.5, 0.1), bell(-0.5, 0.1))
    spread[np.arange(FOLDS), np.arange(FOLDS), 1] = 0
    chosen = choose_curve(spread, 100)
    assert (chosen.held_out, chosen.curve.kind) == ({}, "logistic")


def test_a_prior_shifts_the_odds() -> None:
    odds = np.array([-2.0, 0.0, 3.0])
    even, rare = probability_of(odds, 0.5), probability_of(odds, 0.01)
    assert even == pytest.approx(1 / (1 + np.exp(-odds)))
    assert rare / (1 - rare) == pytest.approx(even / (1 - even) / 99)


def test_curves_survive_their_records() -> None:
    x = np.linspace(-1, 1, 9)
    steps = Isotonic(np.array([-0.5, 0.0, 0.5]), np.array([-1.0, 0.0, 2.0]))
    for curve in (Logistic(9.0, -3.0, 4.0), steps):
        assert curve_from(curve.as_record()).log_odds(x) == pytest.approx(curve.log_odds(x))
    with pytest.raises(DataError, match="spline"):
        curve_from({"kind": "spline"})
