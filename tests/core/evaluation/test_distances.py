import numpy as np
import pytest
import torch

from reidcore.errors import DataError, UnknownNameError, UserError
from reidcore.evaluation import (
    FeatureDistances,
    MatrixDistances,
    RerankedDistances,
    compute_distance_matrix,
)


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, 12, generator=generator) for n in (70, 500)]


def test_euclidean_is_squared(features):
    matrix = compute_distance_matrix(*features)
    expected = torch.cdist(features[0].double(), features[1].double()).square()
    torch.testing.assert_close(matrix, expected.float(), rtol=1e-4, atol=1e-4)


def test_the_matrix_is_of_single_precision_under_autocast(features):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        matrix = compute_distance_matrix(*features)
    assert torch.equal(matrix, compute_distance_matrix(*features))


def test_cosine_is_one_minus_the_cosine(features):
    matrix = compute_distance_matrix(*features, metric="cosine")
    expected = 1 - torch.nn.functional.cosine_similarity(
        features[0][:, None], features[1][None], dim=2
    )
    torch.testing.assert_close(matrix, expected, rtol=1e-5, atol=1e-5)


def test_a_zero_vector_is_at_cosine_distance_one():
    matrix = compute_distance_matrix(torch.zeros(1, 3), torch.ones(2, 3), "cosine")
    assert matrix.tolist() == [[1.0, 1.0]]


def test_gradients_flow_through_the_matrix(features):
    query = features[0].clone().requires_grad_()
    compute_distance_matrix(query, features[1]).sum().backward()
    assert query.grad is not None
    assert torch.isfinite(query.grad).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("rows", [None, 1, 33])
def test_blocks_put_together_are_the_matrix(features, metric, rows):
    distances = FeatureDistances(*features, metric)
    blocks = list(distances.blocks(rows))
    assert [start for start, _ in blocks] == list(range(0, 70, rows or 70))
    found = np.concatenate([block for _, block in blocks])
    expected = compute_distance_matrix(*features, metric=metric).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "given"), [("float64", "float64"), ("float32", "float16"), ("float64", "int64")]
)
def test_a_matrix_keeps_at_least_single_precision(dtype, given):
    distances = MatrixDistances(np.arange(6).reshape(2, 3).astype(given))
    ((start, block),) = distances.blocks()
    assert (start, block.dtype, distances.shape) == (0, dtype, (2, 3))
    np.testing.assert_array_equal(block, [[0, 1, 2], [3, 4, 5]])


def test_a_tensor_is_taken_as_a_matrix():
    matrix = torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True)
    ((_, block),) = MatrixDistances(matrix).blocks()
    assert block.dtype == np.float32


@pytest.mark.parametrize("matrix", [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0))])
def test_what_is_no_matrix_is_refused(matrix):
    with pytest.raises(DataError, match="distance matrix"):
        MatrixDistances(matrix)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_features_that_cannot_be_compared_are_named(value):
    gallery = np.zeros((20, 4), dtype=np.float32)
    gallery[[13, 17], 2] = value
    with pytest.raises(DataError, match=r"2 of 20 gallery features .* index 13"):
        FeatureDistances(np.zeros((3, 4), dtype=np.float32), gallery)


@pytest.mark.parametrize(
    ("query", "gallery", "said"),
    [
        ((3, 4), (5, 6), "query features have 4 dimensions, gallery features 6"),
        ((3,), (5, 6), "query features must be"),
        ((3, 4), (0, 4), "the gallery features are empty"),
        ((3, 0), (5, 0), "the query features are empty"),
    ],
)
def test_wrong_shapes_are_told(query, gallery, said):
    with pytest.raises(UserError, match=said):
        FeatureDistances(np.zeros(query), np.zeros(gallery))
    with pytest.raises(UserError, match=said):
        compute_distance_matrix(torch.zeros(query), torch.zeros(gallery))


def test_features_on_two_devices_are_told():
    query, gallery = torch.ones(3, 4), torch.ones(5, 4, device="meta")
    for measure in (FeatureDistances, compute_distance_matrix):
        with pytest.raises(UserError, match="query features are on cpu, gallery features on meta"):
            measure(query, gallery)


def test_a_mistyped_metric_is_answered_with_the_right_one(features):
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        FeatureDistances(*features, "cosin")


def whole(distances):
    return np.concatenate([block for _, block in distances.blocks()])


@pytest.mark.parametrize("rows", [None, [3, 9, 60], [60, 3, 3, 9]], ids=["all", "some", "mixed"])
@pytest.mark.parametrize("columns", [None, [400, 2, 2, 7]], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["features", "matrix", "reranked"])
def test_some_distances_are_those_of_the_whole(features, kind, rows, columns):
    distances = {
        "features": lambda: FeatureDistances(*features, "cosine"),
        "matrix": lambda: MatrixDistances(compute_distance_matrix(*features)),
        "reranked": lambda: RerankedDistances.of_features(*features, k1=5, k2=2),
    }[kind]()
    chosen = [None if part is None else np.array(part) for part in (rows, columns)]
    taken = distances.take(*chosen)
    expected = whole(distances)
    for axis, part in enumerate(chosen):
        expected = expected if part is None else np.take(expected, part, axis)
    assert taken.shape == expected.shape
    np.testing.assert_allclose(whole(taken), expected, atol=1e-6)
    assert taken.conditions() == (
        distances.conditions() if kind != "reranked" or rows != [60, 3, 3, 9] else {}
    )
    rows_then_columns = distances.take(chosen[0]).take(None, chosen[1])
    np.testing.assert_allclose(whole(rows_then_columns), expected, atol=1e-6)


def test_some_features_are_ranked_as_fast_as_all(features):
    taken = FeatureDistances(*features).take(np.array([5, 1]), np.arange(50))
    assert isinstance(taken, FeatureDistances)
    assert torch.equal(taken.query, features[0][[5, 1]])


def test_rows_are_taken_in_pieces(features):
    taken = RerankedDistances.of_features(*features, k1=5, k2=2).take(np.array([2, 3, 40]))
    assert [start for start, _ in taken.blocks(rows=10)] == [0, 2]
