"""The CUHK03 expectation against every possible draw, written out."""

from itertools import product

import numpy as np
import pytest

from reidcore.evaluation import Cuhk03, Labels, evaluate, evaluate_rank


def average_over_all_draws(distances, labels, depth):
    curves = []
    for row, pid, camid in zip(distances, labels.q_pids, labels.q_camids, strict=True):
        kept = ~((labels.g_pids == pid) & (labels.g_camids == camid))
        pids = sorted(set(labels.g_pids[kept]))
        if pid not in pids:
            continue
        images = [np.flatnonzero(kept & (labels.g_pids == one)) for one in pids]
        draws = []
        for drawn in product(*images):
            mine = drawn[pids.index(pid)]
            rank = 1 + sum(row[other] <= row[mine] for other in drawn if other != mine)
            draws.append([rank <= k for k in range(1, depth + 1)])
        curves.append(np.mean(draws, axis=0))
    return np.mean(curves, axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_the_average_over_all_draws(seed):
    rng = np.random.default_rng(seed)
    labels = Labels(*(rng.integers(0, high, n) for high in (4, 3) for n in (6, 12)))
    distances = rng.integers(0, 6, (6, 12)).astype(np.float64)  # with ties
    result = evaluate(distances, labels, Cuhk03())
    np.testing.assert_allclose(result.cmc, average_over_all_draws(distances, labels, 12))
    assert result.mAP == evaluate(distances, labels).mAP


def test_optimistic_ties_help_here_too():
    labels = Labels([1], [1, 2], [0], [1, 1])
    pessimistic, optimistic = (
        Cuhk03().evaluate(_matrix([[1.0, 1.0]]), labels, ties=ties).cmc.tolist()
        for ties in ("pessimistic", "optimistic")
    )
    assert pessimistic == [0.0, 1.0]
    assert optimistic == [1.0, 1.0]


def test_torchreids_argument_selects_it():
    distances = [[2.0, 1.0, 3.0]]
    arguments = ([1], [1, 2, 2], [0], [1, 1, 1])
    cmc, _ = evaluate_rank(distances, *arguments, use_metric_cuhk03=True)
    assert cmc.tolist() == [0.5, 1.0, 1.0]
    assert evaluate_rank(distances, *arguments)[0].tolist() == [0.0, 1.0, 1.0]


def _matrix(values):
    from reidcore.evaluation import MatrixDistances

    return MatrixDistances(values)
