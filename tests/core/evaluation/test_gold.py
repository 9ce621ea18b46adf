"""Agreement with recorded results of the field's evaluators."""

import numpy as np
import pytest
import torch

from reidcore.evaluation import (
    Labels,
    compute_distance_matrix,
    evaluate,
    evaluate_features,
    evaluate_rank,
)

NAMES = ("q_pids", "g_pids", "q_camids", "g_camids")


def labels_of(problem):
    return [problem[name] for name in NAMES]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.usefixtures("kernel")
def test_features_agree_with_the_recorded_problems(recorded, metric):
    qf, gf, labels = recorded["qf"], recorded["gf"], labels_of(recorded)
    worst = evaluate_features(qf, gf, *labels, metric=metric)
    best = evaluate_features(qf, gf, *labels, metric=metric, ties="optimistic")
    np.testing.assert_allclose(worst.cmc, recorded[f"{metric}_ref_worst_cmc"], atol=1e-12)
    np.testing.assert_allclose(best.cmc, recorded[f"{metric}_ref_best_cmc"], atol=1e-12)
    np.testing.assert_array_equal(np.flatnonzero(worst.valid), recorded["valid_query"])
    for figure in ("ap", "inp"):
        low, high = (getattr(found, figure)[found.valid] for found in (worst, best))
        recorded_figure = recorded[f"{metric}_ref_{figure.upper()}"]
        tied = low != high
        # Rounding may separate identical vectors in the recorded cosines, hence the slack.
        slack = 1e-12 if metric == "euclidean" else 0.01
        assert (recorded_figure >= low - slack).all()
        assert (recorded_figure <= high + slack).all()
        if metric == "euclidean":
            np.testing.assert_allclose(low[~tied], recorded_figure[~tied], atol=1e-12)


@pytest.mark.usefixtures("kernel")
def test_torchreids_matrices_agree_with_its_cmc_where_nothing_ties(recorded):
    for metric in ("euclidean", "cosine"):
        if f"{metric}_dist" not in recorded or f"{metric}_py_cmc" not in recorded:
            continue
        worst, best = (recorded[f"{metric}_ref_{end}_cmc"] for end in ("worst", "best"))
        if not np.array_equal(worst, best):
            continue
        cmc, _ = evaluate_rank(recorded[f"{metric}_dist"], *labels_of(recorded))
        np.testing.assert_allclose(cmc, recorded[f"{metric}_py_cmc"], atol=1e-6)


@pytest.mark.usefixtures("kernel")
def test_exact_distances_give_features_and_matrix_the_same_figures(recorded):
    qf, gf, labels = recorded["qf"], recorded["gf"], labels_of(recorded)
    matrix = compute_distance_matrix(torch.from_numpy(qf), torch.from_numpy(gf))
    np.testing.assert_array_equal(matrix.double().sum(1).numpy(), recorded["euclidean_row_sums"])
    by_features, by_matrix = evaluate_features(qf, gf, *labels), evaluate(matrix, Labels(*labels))
    np.testing.assert_array_equal(by_features.ap, by_matrix.ap)
    np.testing.assert_array_equal(by_features.first_rank, by_matrix.first_rank)


def test_the_cuhk03_expectation_agrees(recorded_cuhk03):
    problem, labels = recorded_cuhk03, labels_of(recorded_cuhk03)
    cmc, mean = evaluate_rank(
        problem["euclidean_dist"], *labels, max_rank=20, use_metric_cuhk03=True
    )
    np.testing.assert_allclose(cmc, problem["cuhk03_cmc_exact"], atol=1e-7)
    drawn, spread = problem["cuhk03_cmc_mean200"], problem["cuhk03_cmc_std200"]
    assert (np.abs(cmc - drawn) < 4.5 * spread / np.sqrt(200) + 2e-4).all()
    assert mean == evaluate_rank(problem["euclidean_dist"], *labels)[1]
