"""Drawn galleries of CUHK03, which tend to the expectation that the core computes."""

import numpy as np
import pytest
from reid_plugins_standard.protocols.cuhk03_drawn import Cuhk03Drawn
from reid_plugins_standard.protocols.over_draws import lots

from reidcore.errors import UserError
from reidcore.evaluation import Cuhk03, Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.problems import small_problem, small_problems


def test_one_draw_by_hand():
    """Of person 2 the image at 1 or that at 3 stands in the gallery, before or behind the match."""
    labels = Labels([1], [1, 2, 2], [0], [1, 1, 1])
    seen = {
        tuple(evaluate([[2.0, 1.0, 3.0]], labels, Cuhk03Drawn(1, seed)).cmc) for seed in range(8)
    }
    assert seen == {(0, 1, 1), (1, 1, 1)}


def test_draws_agree_with_the_definition():
    ranked = 0
    for seed, problem in enumerate(small_problems(seed=12)):
        labels, distances = problem.labels, problem.distances
        curves = []
        for query, row in enumerate(distances):
            own = (labels.g_pids == labels.q_pids[query]) & (
                labels.g_camids == labels.q_camids[query]
            )
            if not (~own & (labels.g_pids == labels.q_pids[query])).any():
                continue
            firsts = []
            for draw in range(3):
                lot = lots(seed, draw, len(row)).tolist()
                drawn = {}
                for item in np.flatnonzero(~own).tolist():
                    pid = int(labels.g_pids[item])
                    if pid not in drawn or lot[item] < lot[drawn[pid]]:
                        drawn[pid] = item
                mine = drawn.pop(int(labels.q_pids[query]))
                firsts.append(1 + sum(row[other] <= row[mine] for other in drawn.values()))
            curves.append([np.mean([first <= k for first in firsts]) for k in range(1, 15)])
        if curves:
            result = Cuhk03Drawn(3, seed).evaluate(MatrixDistances(distances), labels)
            np.testing.assert_allclose(result.cmc, np.mean(curves, axis=0))
            ranked += 1
    assert ranked > 190


def test_the_mean_over_many_draws_tends_to_the_expectation():
    problem = small_problem(np.random.default_rng(3), queries=20, gallery=40, people=8)
    exact = evaluate(problem.distances, problem.labels, Cuhk03())
    draws = 400
    drawn = evaluate(problem.distances, problem.labels, Cuhk03Drawn(draws))
    sigma = drawn.figures["rank1_std"] / np.sqrt(draws)
    assert 0 < sigma < 0.01
    assert abs(drawn.cmc[0] - exact.cmc[0]) < 3 * sigma
    assert drawn.mAP == exact.mAP


def test_figures_of_queries_are_their_means_over_draws():
    problem = small_problem(np.random.default_rng(4), queries=20, people=8)
    result = evaluate(problem.distances, problem.labels, Cuhk03Drawn())
    assert np.nanmean(result.per_query["rank5"]) == pytest.approx(result.cmc_at(5))
    np.testing.assert_equal(np.isnan(result.per_query["rank1"]), ~result.valid)
    assert (result.conditions["draws"], result.conditions["seed"]) == (10, 0)
    low, high = result.intervals["rank1"]
    assert low <= result.cmc_at(1) <= high
    assert np.isnan(
        evaluate(problem.distances, problem.labels, Cuhk03Drawn(1)).figures["rank1_std"]
    )


def test_there_are_draws():
    with pytest.raises(UserError, match="draws is 0"):
        Cuhk03Drawn(0)
