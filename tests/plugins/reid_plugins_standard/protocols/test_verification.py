from fractions import Fraction

import numpy as np
import pytest
from reid_plugins_standard.protocols import count_pairs
from reid_plugins_standard.protocols.verification import Verification

from reidcore.errors import DataError, UnknownNameError
from reidcore.evaluation import AnyCamera, FeatureDistances, Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems

RATES = {"1e-4": 10_000, "1e-3": 1_000, "1e-2": 100, "1e-1": 10}


def pairs_by_definition(distances, labels):
    """Write out the distances of pairs of one identity and of two."""
    same, different = [], []
    for query, row in enumerate(distances.tolist()):
        for item, distance in enumerate(row):
            if labels.q_pids[query] != labels.g_pids[item]:
                different.append(distance)
            elif labels.q_camids[query] != labels.g_camids[item]:
                same.append(distance)
    return same, different


def rates_by_definition(same, different, ties):
    """Try every threshold that there is: each distance, and one below all."""
    thresholds = [-1.0, *sorted({*same, *different})]
    points = []
    for threshold in thresholds:
        false = sum(
            each < threshold or (each == threshold and ties == "pessimistic") for each in different
        )
        true = sum(each <= threshold for each in same)
        points.append((Fraction(false, len(different)), Fraction(true, len(same))))
    return points


@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
def test_it_agrees_with_the_definition(ties):
    for problem in small_problems(100, seed=14, gallery=30, queries=8, people=4):
        labels = problem.labels
        same, different = pairs_by_definition(problem.distances, labels)
        points = rates_by_definition(same, different, ties)
        found = Verification().evaluate(MatrixDistances(problem.distances), labels, ties=ties)
        for rate, per in RATES.items():
            best = max(true for false, true in points if false * per <= 1)
            assert found.figures[f"TPR@FPR={rate}"] == pytest.approx(float(best))
            assert found.figures[f"FNMR@FMR={rate}"] == pytest.approx(float(1 - best))
        eer = min(max(false, 1 - true) for false, true in points)
        assert found.figures["EER"] == pytest.approx(float(eer))
        won = sum(
            one < two or (one == two and ties == "optimistic") for one in same for two in different
        )
        assert found.figures["AUC"] == pytest.approx(won / (len(same) * len(different)))


def test_the_figures_by_hand():
    """Four pairs of one identity at 1, 2, 2, 5; ten others at 2 and at 4 nine times.

    One of ten may be accepted at 1e-1: a threshold of 2 takes three of the four. The equal error
    rate is there too: 1/10 accepted, 1/4 missed.
    """
    g_pids = [1, 1, 1, 1, *[2] * 10]
    labels = Labels([1], g_pids, [0], [1] * 14)
    distances = np.array([[1.0, 2, 2, 5, 2, *[4] * 9]])
    result = evaluate(distances, labels, Verification())
    assert result.figures["TPR@FPR=1e-1"] == 0.75
    assert result.figures["FNMR@FMR=1e-1"] == 0.25
    assert result.figures["TPR@FPR=1e-2"] == 0.25
    assert result.figures["EER"] == 0.25
    assert result.figures["AUC"] == pytest.approx((10 + 9 + 9 + 0) / 40)
    assert result.conditions["positive"] == "pairs of one identity"
    assert result.conditions["pairs"] == 4
    assert result.first_rank.tolist() == [1]


def test_the_positive_class_is_one_identity():
    """Perfect features accept every pair of one identity, and no other."""
    labels = Labels([1, 2], [1, 2], [0, 0], [1, 1])
    figures = evaluate([[0.0, 1.0], [1.0, 0.0]], labels, Verification()).figures
    assert figures["TPR@FPR=1e-4"] == 1
    assert figures["EER"] == 0
    assert figures["AUC"] == 1
    inverted = evaluate([[1.0, 0.0], [0.0, 1.0]], labels, Verification()).figures
    assert inverted["TPR@FPR=1e-1"] == 0
    assert inverted["EER"] == 1
    assert inverted["AUC"] == 0


def test_ignored_pairs_have_no_part():
    labels = Labels([1], [1, 1, 2], [0], [0, 1, 1])
    distances = [[9.0, 1.0, 2.0]]
    assert evaluate(distances, labels, Verification()).figures["AUC"] == 1
    result = evaluate(distances, labels, Verification("any"))
    assert result.figures["AUC"] == 0.5
    assert result.conditions["junk"] == "none"
    counts = count_pairs(MatrixDistances(distances), labels, AnyCamera())
    assert (len(counts.same), counts.different) == (2, 1)


def test_queries_add_up_to_the_figures_and_their_spread_is_that_of_the_ratio():
    rng = np.random.default_rng(0)
    q_pids = np.repeat(np.arange(30), rng.integers(1, 6, 30))
    g_pids = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    centres = rng.normal(size=(30, 4))
    query, gallery = (centres[p] + 0.4 * rng.normal(size=(len(p), 4)) for p in (q_pids, g_pids))
    labels = Labels(q_pids, g_pids, np.zeros_like(q_pids), np.ones_like(g_pids))
    distances = FeatureDistances(query, gallery)
    result = evaluate(distances, labels, Verification())
    name = "TPR@FPR=1e-2"
    each = result.contributions()[name]
    assert np.nanmean(each) == pytest.approx(result.figures[name])

    counts = count_pairs(distances, labels)
    accepted = np.isin(np.arange(len(counts.same)), counts.accepted(100))
    hits, pairs = (
        np.bincount(q_pids[counts.owner], weights, 30)
        for weights in (accepted, np.ones(len(accepted)))
    )
    drawn = rng.integers(30, size=(4000, 30))
    ratios = hits[drawn].sum(1) / pairs[drawn].sum(1)
    low, high = result.intervals[name]
    assert low == pytest.approx(np.quantile(ratios, 0.025), abs=0.03)
    assert high == pytest.approx(np.quantile(ratios, 0.975), abs=0.03)


def test_blocks_do_not_change_a_count():
    rng = np.random.default_rng(1)
    labels = Labels(rng.integers(0, 9, 300), rng.integers(0, 9, 80), [0] * 300, [1] * 80)
    matrix = rng.integers(0, 40, (300, 80)).astype(np.float32)
    whole = count_pairs(MatrixDistances(matrix), labels)
    assert next(MatrixDistances(matrix).blocks())[1].shape == (256, 80)  # so there are two
    same, different = pairs_by_definition(matrix, labels)
    assert whole.different == len(different)
    assert whole.same.tolist() == sorted(same)
    expected = [sum(each <= limit for each in different) for limit in range(40)]
    assert whole.within.tolist() == [expected[int(limit)] for limit in whole.same]


def test_the_curve_rises_to_one():
    rng = np.random.default_rng(2)
    labels = Labels(rng.integers(0, 5, 40), rng.integers(0, 5, 60), [0] * 40, [1] * 60)
    counts = count_pairs(MatrixDistances(rng.random((40, 60))), labels)
    false, true = counts.curve(50)
    assert false[0] == 0
    assert (false[-1], true[-1]) == (1, 1)
    assert (np.diff(false) > 0).all()
    assert (np.diff(true) >= 0).all()
    for rate, share in zip(false.tolist(), true.tolist(), strict=True):
        assert share == (counts.within <= round(rate * counts.different)).mean()


def test_one_identity_alone_is_refused():
    labels = Labels([1], [1, 1], [0], [1, 1])
    with pytest.raises(DataError, match="two identities"):
        evaluate([[0.0, 1.0]], labels, Verification())
    with pytest.raises(UnknownNameError, match="other"):
        Verification("othr")
