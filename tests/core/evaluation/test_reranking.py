"""Re-ranking: the recorded values, the definition written out, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore import utils
from reidcore.errors import UserError
from reidcore.evaluation import (
    Distances,
    FeatureDistances,
    Labels,
    MatrixDistances,
    RerankedDistances,
    compute_distance_matrix,
    evaluate,
    re_ranking,
)
from reidcore.evaluation.reranking import memory_forecast

GOLD = Path(__file__).parents[2] / "fixtures" / "rerank"


def matrices(query, gallery, metric="euclidean"):
    pairs = [(query, gallery), (query, query), (gallery, gallery)]
    return [compute_distance_matrix(*pair, metric) for pair in pairs]


def people(seed, queries, gallery, dim=6):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((queries + gallery, dim)).astype(np.float32)
    return torch.from_numpy(features[:queries]), torch.from_numpy(features[queries:])


def rows_of(distances, rows=None):
    return np.concatenate([block for _, block in distances.blocks(rows)])


def rerank_by_definition(q_g, q_q, g_g, k1, k2, lambda_value):
    """Write out the paper's definition with sets, one image at a time."""
    whole = np.block([[q_q, q_g], [q_g.T, g_g]]).astype(np.float64).T ** 2
    whole /= whole.max(axis=1, keepdims=True)
    images = range(len(whole))
    order = [sorted(images, key=lambda other: (whole[i][other], other)) for i in images]

    def mutual(i, k):
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    weights = np.zeros_like(whole)
    for i in images:
        own = mutual(i, k1)
        joined = set(own)
        for candidate in own:
            theirs = mutual(candidate, round(k1 / 2))
            if 3 * len(theirs & own) > 2 * len(theirs):
                joined |= theirs
        for j in joined:
            weights[i, j] = np.exp(-whole[i, j])
        weights[i] /= weights[i].sum()
    weights = np.array([weights[order[i][:k2]].mean(axis=0) for i in images])
    least = np.array([[np.minimum(a, b).sum() for b in weights] for a in weights])
    result = (1 - lambda_value) * (1 - least / (2 - least)) + lambda_value * whole
    return result[: len(q_q), len(q_q) :]


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "case", ["euclidean_k1_20_k2_6_l_0.3", "euclidean_k1_7_k2_3_l_0.5", "cosine_k1_20_k2_6_l_0.3"]
)
def test_the_recorded_values(number, case) -> None:
    with np.load(GOLD / f"problem{number}.npz") as problem:
        query, gallery = (torch.from_numpy(problem[side]) for side in ("qf", "gf"))
        expected = problem[case]
    metric, k1, k2, share = re.fullmatch(r"(\w+)_k1_(\d+)_k2_(\d+)_l_(.+)", case).groups()
    numbers = (int(k1), int(k2), float(share))
    dense = re_ranking(*(part.numpy() for part in matrices(query, gallery, metric)), *numbers)
    assert dense.dtype == np.float32
    np.testing.assert_allclose(dense, expected, atol=1e-6)
    streamed = RerankedDistances.of_features(query, gallery, metric, *numbers)
    np.testing.assert_allclose(rows_of(streamed, 7), expected, atol=1e-6)


@pytest.mark.parametrize("case", ["tiny_3x5_k1_20", "single_query_1x30"])
def test_few_images(case) -> None:
    recorded = json.loads((GOLD / "edge.json").read_text())[case]
    query, gallery = (torch.tensor(recorded[side]) for side in ("qf", "gf"))
    result = re_ranking(*matrices(query, gallery))
    np.testing.assert_allclose(result, recorded["out"], atol=1e-6)


@pytest.mark.parametrize(
    ("queries", "gallery", "k1", "k2", "share"),
    [(9, 31, 5, 4, 0.1), (12, 20, 9, 1, 0.0), (3, 25, 1, 8, 0.7), (10, 30, 13, 30, 1.0)],
)
def test_the_definition(queries, gallery, k1, k2, share) -> None:
    parts = [part.numpy() for part in matrices(*people(queries, queries, gallery))]
    expected = rerank_by_definition(*parts, k1, k2, share)
    np.testing.assert_allclose(re_ranking(*parts, k1, k2, share), expected, atol=2e-6)


def test_one_image_on_each_side() -> None:
    assert re_ranking(np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))).shape == (1, 1)


def test_columns_count_where_a_matrix_is_not_symmetric() -> None:
    """As in Torchreid, which takes the columns' shares of their largest."""
    from reidcore.evaluation.reranking import _Joined

    rng = np.random.default_rng(5)
    q_g, q_q, g_g = (rng.random(shape) for shape in [(3, 5), (3, 3), (5, 5)])
    joined = _Joined(q_g, q_q, g_g)
    whole = np.block([[q_q.T, q_g], [q_g.T, g_g.T]])
    for rows in (None, 1, 2, 4):
        np.testing.assert_array_equal(rows_of(joined, rows), whole)
    rows, columns = np.divmod(rng.permutation(64), 8)
    np.testing.assert_array_equal(joined.pairs(rows, columns), whole[rows, columns])


def test_many_images_are_worked_on_in_several_chunks(monkeypatch) -> None:
    from reidcore.evaluation import k_reciprocal

    parts = matrices(*people(0, 30, 170))
    whole = re_ranking(*parts)
    monkeypatch.setattr(k_reciprocal, "_CHUNK", 2000)
    np.testing.assert_array_equal(re_ranking(*parts), whole)


def test_parts_may_be_arrays_and_tensors_mixed() -> None:
    q_g, q_q, g_g = matrices(*people(1, 6, 20))
    expected = re_ranking(q_g.numpy(), q_q.numpy(), g_g.numpy())
    np.testing.assert_array_equal(re_ranking(q_g, q_q.numpy(), g_g), expected)
    np.testing.assert_allclose(
        re_ranking(q_g.double(), q_q.tolist(), g_g.numpy()), expected, atol=1e-6
    )


def test_identical_features_give_numbers() -> None:
    same = torch.ones(1, 4)
    assert not re_ranking(*matrices(same.repeat(2, 1), same.repeat(2, 1))).any()
    many = torch.randn(1, 4, generator=torch.Generator().manual_seed(0))
    result = re_ranking(*matrices(many.repeat(3, 1), many.repeat(60, 1)))
    assert np.isfinite(result).all()


def test_twins_are_taken_in_their_order_whatever_topk_prefers() -> None:
    """Of equal neighbours the first ones count: duplicates do not change between runs."""
    query, gallery = people(2, 4, 6)
    gallery = gallery.repeat(5, 1).round(decimals=1)
    parts = [part.round(decimals=2).numpy() for part in matrices(query, gallery)]
    expected = rerank_by_definition(*parts, 7, 3, 0.3)
    np.testing.assert_allclose(re_ranking(*parts, 7, 3), expected, atol=2e-6)


def test_the_nearest_are_found_in_order_whatever_the_shape_and_the_ties() -> None:
    from reidcore.evaluation.k_reciprocal import _places, _smallest

    rng = np.random.default_rng(0)
    for width, count in [(1, 1), (5, 5), (40, 3), (100, 21), (997, 7)]:
        for levels in (1, 3, 10_000):
            rows = rng.integers(0, levels, (4, width)).astype(np.float32)
            expected = np.argsort(rows, axis=1, kind="stable")[:, :count]
            found = _smallest(torch.from_numpy(rows), count)
            np.testing.assert_array_equal(found.numpy(), expected)
    mask = torch.from_numpy(rng.random((3, 7)) < 0.3)
    np.testing.assert_array_equal(torch.stack(_places(mask)), mask.nonzero().T)


def test_huge_distances_do_not_overflow() -> None:
    parts = [part.numpy() for part in matrices(*people(3, 5, 20))]
    expected = re_ranking(*parts)
    np.testing.assert_allclose(re_ranking(*(part * 1e30 for part in parts)), expected, atol=1e-5)


# -- as distances ----------------------------------------------------------------------------------


def test_the_evaluator_takes_it() -> None:
    rng = np.random.default_rng(4)
    pids = rng.integers(0, 12, 130)
    centres = rng.standard_normal((12, 8))
    features = torch.from_numpy(centres[pids] + 0.9 * rng.standard_normal((130, 8))).float()
    labels = Labels(pids[:30], pids[30:], np.zeros(30, int), np.ones(100, int))
    query, gallery = features[:30], features[30:]
    plain = evaluate(FeatureDistances(query, gallery), labels)
    streamed = evaluate(RerankedDistances.of_features(query, gallery), labels)
    assert streamed.mAP == evaluate(re_ranking(*matrices(query, gallery)), labels).mAP
    assert streamed.mAP > plain.mAP


def test_blocks_have_the_rows_that_are_asked_for() -> None:
    distances = RerankedDistances.of_features(*people(5, 10, 15))
    assert distances.shape == (10, 15)
    blocks = list(distances.blocks(4))
    assert [(start, block.shape) for start, block in blocks] == [
        (0, (4, 15)),
        (4, (4, 15)),
        (8, (2, 15)),
    ]
    np.testing.assert_array_equal(rows_of(distances, 4), rows_of(distances))
    assert blocks[0][1].dtype == np.float32


def test_the_gallerys_order_does_not_matter() -> None:
    query, gallery = people(12, 8, 60)
    order = np.random.default_rng(0).permutation(60)
    straight = rows_of(RerankedDistances.of_features(query, gallery))
    shuffled = rows_of(RerankedDistances.of_features(query, gallery[order]))
    np.testing.assert_allclose(shuffled, straight[:, order], atol=1e-6)


def test_any_distances_can_be_re_ranked() -> None:
    query, gallery = people(6, 7, 30)
    everything = torch.cat([query, gallery])
    cityblock = torch.cdist(everything, everything, p=1)
    distances = RerankedDistances(MatrixDistances(cityblock), 7)
    parts = cityblock[:7, 7:], cityblock[:7, :7], cityblock[7:, 7:]
    np.testing.assert_array_equal(rows_of(distances), re_ranking(*parts))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_chosen_pairs_have_the_distances_of_the_blocks(metric) -> None:
    query, gallery = people(7, 9, 14)
    distances = FeatureDistances(query, gallery, metric)
    rows, columns = np.array([0, 0, 4, 8]), np.array([3, 1, 13, 0])
    expected = rows_of(distances)[rows, columns]
    np.testing.assert_allclose(distances.pairs(rows, columns), expected, atol=1e-5)
    in_blocks = Distances.pairs(distances, rows, columns)
    np.testing.assert_array_equal(in_blocks, expected)


def test_memory_follows_the_neighbours_not_the_matrix() -> None:
    """4,000 images: their matrix is 61 MB, what is kept of them 3."""
    distances = RerankedDistances.of_features(*people(8, 400, 3600, dim=16))
    kept = [
        array.nbytes
        for rows in (distances._weights, distances._gallery)
        for array in (rows.first, rows.columns, rows.values)
    ]
    assert sum(kept) < 10 << 20


PROGRAM = """
from pathlib import Path
import torch
from reidcore.evaluation import RerankedDistances
from reidcore.evaluation.reranking import memory_forecast

def field(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

torch.set_num_threads(1)
features = torch.rand(5000, 2)  # of two dimensions: the neighbourhoods overlap as much as they can
list(RerankedDistances.of_features(features[:20], features[20:400]).blocks())
Path("/proc/self/clear_refs").write_text("5")
before = field("VmRSS")
for _ in RerankedDistances.of_features(features[:600], features[600:], k1=30, k2=9).blocks():
    pass
print(memory_forecast(len(features), 30, 9) / (field("VmHWM") - before))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux only")
def test_the_forecast_of_memory_is_kept() -> None:
    at_once = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
    program = [sys.executable, "-c", PROGRAM]
    child = subprocess.run(program, capture_output=True, text=True, check=False, env=at_once)
    assert child.returncode == 0, child.stderr
    assert 1 < float(child.stdout) < 10


def test_what_does_not_fit_into_memory_is_refused_before_it_starts(monkeypatch) -> None:
    class Untouched(Distances):
        shape = (10_000_000, 10_000_000)

        def blocks(self, rows=None):
            raise AssertionError("computed")

    monkeypatch.setattr("reidcore.evaluation.reranking.available_memory", lambda: 3 << 30)
    told = (
        r"re-ranking 10,000,000 images with k1=20 and k2=6 takes about 57\.9 GB of memory, "
        r"and 3\.2 GB are free\. Lower k1"
    )
    with pytest.raises(UserError, match=told):
        RerankedDistances(Untouched(), 100)
    query, gallery = people(9, 3, 5)
    monkeypatch.setattr("reidcore.evaluation.reranking.available_memory", lambda: 9000)
    with pytest.raises(UserError, match="re-ranking 8 images"):
        re_ranking(*matrices(query, gallery))
    # The result (60 bytes) and the joined features (192) count too.
    enough = memory_forecast(8) + 50
    monkeypatch.setattr("reidcore.evaluation.reranking.available_memory", lambda: enough)
    everything = torch.cat([query, gallery])
    assert RerankedDistances(FeatureDistances(everything, everything), 3).shape == (3, 5)
    with pytest.raises(UserError, match="re-ranking 8 images"):
        re_ranking(*matrices(query, gallery))
    with pytest.raises(UserError, match="re-ranking 8 images"):
        RerankedDistances.of_features(query, gallery)
    monkeypatch.setattr("reidcore.evaluation.reranking.available_memory", lambda: None)
    assert RerankedDistances.of_features(query, gallery).shape == (3, 5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_the_numbers_of_the_cpu() -> None:
    query, gallery = people(11, 40, 400)
    expected = rows_of(RerankedDistances.of_features(query, gallery))
    there = RerankedDistances.of_features(query.cuda(), gallery.cuda())
    np.testing.assert_allclose(rows_of(there), expected, atol=1e-5)


def test_it_is_a_name_of_utils() -> None:
    assert utils.re_ranking is re_ranking


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"k1": 0}, "k1=0. Give 1 or more"),
        ({"k2": 0}, "k2=0. Give 1 or more"),
        ({"lambda_value": 1.5}, "lambda_value=1.5. Give a share from 0 to 1"),
    ],
)
def test_senseless_numbers_are_refused(numbers, message) -> None:
    with pytest.raises(UserError, match=message):
        re_ranking(*matrices(*people(9, 3, 5)), **numbers)


def test_parts_that_do_not_fit_are_refused() -> None:
    q_g, q_q, g_g = matrices(*people(9, 3, 5))
    with pytest.raises(UserError, match=r"q_q_dist is \(5, 5\).*Give \(3, 3\) and \(5, 5\)"):
        re_ranking(q_g, g_g, q_q)
    with pytest.raises(UserError, match="must be"):
        re_ranking(q_g[0], q_q, g_g)


def test_distances_that_are_not_of_all_to_all_are_refused() -> None:
    query, gallery = people(9, 3, 5)
    with pytest.raises(UserError, match="3 queries by distances of 3 to 5 images"):
        RerankedDistances(FeatureDistances(query, gallery), 3)
    with pytest.raises(UserError, match="0 queries"):
        RerankedDistances(FeatureDistances(gallery, gallery), 0)


def test_features_that_do_not_fit_are_refused() -> None:
    query, gallery = people(9, 3, 5)
    with pytest.raises(UserError, match="6 dimensions, gallery features 5"):
        RerankedDistances.of_features(query, gallery[:, :5])
    with pytest.raises(UserError, match="euclidean and cosine"):
        RerankedDistances.of_features(query, gallery, "euclidian")


def test_nan_is_refused() -> None:
    q_g, q_q, g_g = matrices(*people(9, 3, 5))
    g_g[2, 1] = torch.nan
    with pytest.raises(UserError, match="a distance of image 4 is NaN"):
        re_ranking(q_g, q_q, g_g)
