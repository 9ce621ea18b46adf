"""Numbers that are none: complex, infinite, NaN, of another type, or none at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reidcore.errors import UserError
from reidcore.evaluation import (
    FeatureDistances,
    RerankedDistances,
    compute_distance_matrix,
    evaluate_features,
    evaluate_rank,
    re_ranking,
)

LABELS = ([1, 2], [1, 2, 3], [0, 0], [1, 1, 1])
QUERY = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
GALLERY = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]], dtype=np.float32)
DISTANCES = np.array([[0.5, 1.0, 2.0], [1.0, 3.0, 0.5]])

ROADS = {
    "evaluate_features": lambda query: evaluate_features(query, GALLERY, *LABELS),
    "compute_distance_matrix": lambda query: compute_distance_matrix(
        query, torch.from_numpy(GALLERY)
    ),
    "re-ranking": lambda query: RerankedDistances.of_features(query, torch.from_numpy(GALLERY)),
}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("road", ROADS)
def test_features_that_are_not_finite_are_named(road, bad) -> None:
    query = torch.from_numpy(QUERY.copy())
    query[1, 0] = bad
    with pytest.raises(UserError, match="1 of 2 query features are NaN, infinite or too large"):
        ROADS[road](query)


@pytest.mark.parametrize("make", [torch.from_numpy, np.asarray], ids=["tensor", "array"])
@pytest.mark.parametrize("road", ROADS)
def test_complex_features_are_refused(road, make) -> None:
    with pytest.raises(UserError, match=r"the query features are .*complex64"):
        ROADS[road](make(QUERY + 1j * QUERY))


@pytest.mark.parametrize("values", [[["a", "b"]], [[1.0], [1.0, 2.0]], [[None, 1.0]]])
def test_features_that_are_no_numbers_are_refused(values) -> None:
    with pytest.raises(UserError, match="the query features are"):
        FeatureDistances(values, GALLERY)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64, np.uint64, np.bool_])
def test_whole_numbers_are_compared_without_wrapping(dtype) -> None:
    high = 1 if dtype is np.bool_ else 100
    query, gallery = (np.array(rows, dtype) for rows in ([[0, high]], [[high, 0], [0, high]]))
    expected = [[2 * high**2, 0]]
    assert compute_distance_matrix(query, gallery).tolist() == expected
    assert next(FeatureDistances(query, gallery).blocks())[1].tolist() == expected
    if dtype not in (np.uint64,):
        tensors = torch.from_numpy(query), torch.from_numpy(gallery)
        assert compute_distance_matrix(*tensors).tolist() == expected


def test_wide_whole_numbers_keep_their_last_digit() -> None:
    query, gallery = np.array([[2**24 + 1]]), np.array([[2**24], [2**24 + 1]])
    assert next(FeatureDistances(query, gallery).blocks())[1].tolist() == [[1, 0]]


def test_features_of_two_precisions_and_of_16_bits_are_compared() -> None:
    query, gallery = torch.full((1, 600), 20.0).half(), torch.zeros(2, 600, dtype=torch.float64)
    assert compute_distance_matrix(query, gallery).tolist() == [[240_000.0] * 2]
    assert compute_distance_matrix(query, gallery.half()).tolist() == [[240_000.0] * 2]


@pytest.mark.parametrize("order", [">f4", ">i4", "longdouble"])
def test_arrays_of_any_byte_order_and_stride_are_taken(order) -> None:
    rows = np.array([[1, 2], [3, 4]]).astype(order)[::-1]
    assert compute_distance_matrix(rows, rows).diagonal().tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (2,), (1, 2, 3)])
def test_empty_sets_and_other_shapes_are_refused(shape) -> None:
    for road in ROADS.values():
        with pytest.raises(UserError, match="query features"):
            road(torch.zeros(shape))
    with pytest.raises(UserError, match="distance matrix must be"):
        evaluate_rank(np.zeros(shape) if shape != (2, 0) else np.zeros((2, 0)), *LABELS)


@pytest.mark.parametrize("make", [torch.from_numpy, np.asarray, np.ndarray.tolist])
def test_complex_distances_are_refused(make) -> None:
    with pytest.raises(UserError, match=r"the distances are .*complex"):
        evaluate_rank(make(DISTANCES + 0j), *LABELS)


def test_a_distance_that_is_nan_is_named(kernel) -> None:
    distances = DISTANCES.copy()
    distances[1, 2] = np.nan
    with pytest.raises(UserError, match="query 1 to gallery item 2 is NaN"):
        evaluate_rank(distances, *LABELS)


@pytest.mark.parametrize("sign", [1, -1])
def test_infinite_distances_rank_as_the_farthest_or_nearest_and_tie(
    kernel, reference, sign
) -> None:
    rng = np.random.default_rng(4)
    labels = [rng.integers(0, high, n) for high, n in ((4, 8), (4, 30), (3, 8), (3, 30))]
    distances = rng.integers(0, 5, (8, 30)).astype(np.float64)
    distances[rng.random((8, 30)) < 0.5] = sign * np.inf
    expected = reference(distances, *labels)
    cmc, mAP = evaluate_rank(distances, *labels)
    np.testing.assert_allclose(cmc, expected.cmc, rtol=1e-6)
    assert mAP == pytest.approx(np.mean(expected.ap))


@pytest.mark.parametrize(
    ("bad", "said"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf"), (1e39, r"1e\+39")]
)
@pytest.mark.parametrize("part", range(3))
def test_re_ranking_refuses_distances_that_are_not_finite(part, bad, said) -> None:
    matrices = [np.ones((3, 4)), 1 - np.eye(3), 1 - np.eye(4)]
    matrices[part][2, 1] = bad
    with pytest.raises(UserError, match=rf"a distance of image \d is {said}\."):
        re_ranking(*matrices)


def test_re_ranking_refuses_complex_distances_and_parts_of_a_neighbour() -> None:
    matrices = [np.ones((3, 4)), 1 - np.eye(3), 1 - np.eye(4)]
    with pytest.raises(UserError, match="complex"):
        re_ranking(matrices[0] + 0j, *matrices[1:])
    with pytest.raises(UserError, match=r"k1=2\.5"):
        re_ranking(*matrices, k1=2.5)


@pytest.mark.parametrize("side", ["query", "gallery"])
def test_zero_vectors_have_no_cosine(side) -> None:
    sides = {"query": QUERY.copy(), "gallery": GALLERY.copy()}
    sides[side][1] = 0
    said = rf"1 of \d {side} features are all zeros, the first at index 1: cosine"
    with pytest.raises(UserError, match=said):
        evaluate_features(*sides.values(), *LABELS, metric="cosine")
    assert evaluate_features(*sides.values(), *LABELS).num_valid == 2


def test_sides_of_two_models_are_told_by_their_lengths() -> None:
    with pytest.raises(UserError, match=r"query features are 1 long, gallery features 2e\+06"):
        evaluate_features(QUERY, 1e6 * GALLERY, *LABELS)
    assert evaluate_features(QUERY, 1e6 * GALLERY, *LABELS, metric="cosine").num_valid == 2
