"""What holds of a ranking whatever the features are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reidcore.errors import DataError, UserError
from reidcore.evaluation import (
    FeatureDistances,
    Labels,
    MatrixDistances,
    SameIdentity,
    evaluate,
    evaluate_features,
    match_ranks,
)
from reidcore.evaluation.kernel import compiled, counting_with

KERNELS = ["torch"] if compiled() is None else ["cython", "torch"]
quick = settings(max_examples=25, deadline=None)


@st.composite
def problems(draw):
    """Small features on a coarse grid, so that distances are exact and often tie."""
    queries, gallery = draw(st.integers(1, 15)), draw(st.integers(1, 40))
    dim, grid = draw(st.integers(1, 5)), draw(st.integers(1, 4))

    def table(rows, columns, low, high):
        return draw(arrays.arrays(np.int64, (rows, columns), elements=st.integers(low, high)))

    labels = [
        *(table(count, 1, 0, 3)[:, 0] for count in (queries, gallery)),
        *(table(count, 1, 0, 2)[:, 0] for count in (queries, gallery)),
    ]
    labels[0][0], labels[1][0] = 0, 0  # at least one query has a match
    labels[2][0], labels[3][0] = 0, 1
    features = [table(count, dim, -grid, grid).astype(np.float32) for count in (queries, gallery)]
    return features, labels


def squared(query, gallery):
    return ((query[:, None] - gallery[None]) ** 2).sum(-1)


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
@given(problem=problems())
@quick
def test_figures_are_those_of_the_definition(reference, kind, ties, problem):
    features, labels = problem
    expected = reference(squared(*features), *labels, optimistic=ties == "optimistic")
    with counting_with(kind):
        found = evaluate_features(*features, *labels, ties=ties)
    np.testing.assert_allclose(found.cmc, expected.cmc, atol=1e-12)
    np.testing.assert_allclose(found.ap[found.valid], expected.ap, atol=1e-12)
    np.testing.assert_allclose(found.inp[found.valid], expected.inp, atol=1e-12)
    assert found.mAP == pytest.approx(np.mean(expected.ap))


@given(problem=problems(), seed=st.integers(0, 99))
@quick
def test_the_order_of_the_gallery_does_not_matter(problem, seed):
    features, (q_pids, g_pids, q_camids, g_camids) = problem
    # One more dimension, since the cosine of a vector of zeros is none.
    query, gallery = (np.pad(side, ((0, 0), (0, 1)), constant_values=1) for side in features)
    order = np.random.default_rng(seed).permutation(len(gallery))
    for metric in ("euclidean", "cosine"):
        found = evaluate_features(query, gallery, q_pids, g_pids, q_camids, g_camids, metric)
        moved = evaluate_features(
            query, gallery[order], q_pids, g_pids[order], q_camids, g_camids[order], metric
        )
        if KERNELS[0] == "cython" or metric == "euclidean":
            np.testing.assert_array_equal(found.ap, moved.ap)
            np.testing.assert_array_equal(found.cmc, moved.cmc)


@given(problem=problems())
@quick
def test_optimism_never_hurts_and_the_curve_never_falls(problem):
    features, labels = problem
    worst, best = (
        evaluate_features(*features, *labels, ties=ties) for ties in ("pessimistic", "optimistic")
    )
    assert (best.cmc >= worst.cmc).all()
    assert best.mAP >= worst.mAP
    assert best.mINP >= worst.mINP
    assert (np.diff(worst.cmc) >= 0).all()
    assert 0 < worst.mAP <= 1


class Parts:
    """A scan whose gallery is counted in parts, as several processes do."""

    def __init__(self, whole, parts):
        self.start, self.stop, self.keys = whole.start, whole.stop, whole.keys
        self.parts = parts

    def counts(self, *limits):
        return sum(part.scan(self.start, self.stop).counts(*limits) for part in self.parts)


class InParts(FeatureDistances):
    def __init__(self, query, gallery, metric, cuts):
        super().__init__(query, gallery, metric)
        pieces = np.split(gallery, cuts)
        self.parts = [FeatureDistances(query, part, metric) for part in pieces if len(part)]

    def scans(self):
        for scan in super().scans():
            yield Parts(scan, self.parts)


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@given(data=st.data())
@quick
def test_neither_threads_nor_order_nor_parts_change_a_bit(kind, metric, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999), "seed"))
    size = data.draw(st.integers(2, 600), "gallery")
    dim = data.draw(st.sampled_from([3, 32, 45]), "dim")
    query, gallery = (rng.standard_normal((n, dim)).astype(np.float32) for n in (20, size))
    repeats = data.draw(st.integers(0, size // 2), "duplicates")
    gallery[:repeats] = gallery[size - repeats :]
    q_pids, g_pids, q_camids, g_camids = (
        rng.integers(0, high, n) for high in (20, 1000) for n in (20, size)
    )
    g_pids[0], g_camids[0] = q_pids[0], 1000  # there is a match
    order = rng.permutation(size)
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=3), "cuts"))
    before = torch.get_num_threads()
    try:
        with counting_with(kind):
            one = evaluate_features(query, gallery, q_pids, g_pids, q_camids, g_camids, metric)
            torch.set_num_threads(data.draw(st.integers(1, 3), "threads"))
            labels = Labels(q_pids, g_pids[order], q_camids, g_camids[order])
            other = evaluate(InParts(query, gallery[order], metric, cuts), labels)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(one.ap, other.ap)
    np.testing.assert_array_equal(one.inp, other.inp)
    np.testing.assert_array_equal(one.cmc, other.cmc)


@pytest.fixture(scope="module")
def irrational():
    """Features whose distances are not exact, enough of them for several tiles and blocks."""
    rng = np.random.default_rng(3)
    query, gallery = (rng.standard_normal((n, 19)).astype(np.float32) for n in (300, 1111))
    gallery[700:900] = gallery[:200]  # duplicates must tie wherever they stand
    labels = [rng.integers(0, high, n) for high in (40, 5) for n in (300, 1111)]
    return query, gallery, labels


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_threads_do_not_matter(irrational, metric):
    query, gallery, labels = irrational
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(evaluate_features(query, gallery, *labels, metric=metric))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result.ap, results[0].ap)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_inexact_features_are_ranked_alike_in_any_gallery_order(counting, irrational, metric):
    query, gallery, (q_pids, g_pids, q_camids, g_camids) = irrational
    order = np.random.default_rng(0).permutation(len(gallery))
    found = evaluate_features(query, gallery, q_pids, g_pids, q_camids, g_camids, metric)
    moved = evaluate_features(
        query, gallery[order], q_pids, g_pids[order], q_camids, g_camids[order], metric
    )
    np.testing.assert_array_equal(found.ap, moved.ap)
    np.testing.assert_array_equal(found.inp, moved.inp)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_both_kernels_agree_on_inexact_features(counting, irrational, metric):
    query, gallery, labels = irrational
    fast = evaluate_features(query, gallery[:700], *trimmed(labels), metric=metric)
    with counting_with("torch"):
        slow = evaluate_features(query, gallery[:700], *trimmed(labels), metric=metric)
    assert fast.mAP == pytest.approx(slow.mAP, abs=1e-6)
    np.testing.assert_allclose(fast.cmc, slow.cmc, atol=1e-12)


def trimmed(labels):
    return labels[0], labels[1][:700], labels[2], labels[3][:700]


@pytest.mark.usefixtures("kernel")
def test_the_size_of_blocks_does_not_matter(irrational):
    query, gallery, labels = irrational
    matrix = MatrixDistances(squared(query, gallery))

    class Narrow(MatrixDistances):
        def blocks(self, rows=None):
            return super().blocks(7)

    whole = evaluate(matrix, Labels(*labels))
    parts = evaluate(Narrow(squared(query, gallery)), Labels(*labels))
    np.testing.assert_array_equal(whole.ap, parts.ap)


@pytest.mark.usefixtures("kernel")
def test_nothing_sorts_a_gallery(irrational, monkeypatch):
    query, gallery, labels = irrational
    sorted_sizes = []

    def spy(module, name):
        real = getattr(module, name)

        def recorded(values, *args, **kwargs):
            sorted_sizes.append(np.asarray(values).size)
            return real(values, *args, **kwargs)

        monkeypatch.setattr(module, name, recorded)

    for name in ("sort", "argsort", "lexsort", "partition", "argpartition"):
        spy(np, name)
    for name in ("sort", "argsort", "topk"):
        spy(torch, name)
    evaluate_features(query, gallery, *labels)
    related = sum((labels[1] == pid).sum() for pid in labels[0])
    # One grouping of the gallery by identity, then only the related items' keys and owners.
    assert sum(sorted_sizes) <= len(gallery) + 2 * related
    assert related < query.shape[0] * gallery.shape[0] / 10


def test_ranks_count_from_one_and_ties_stand_before_the_match():
    distances = MatrixDistances([[3.0, 1.0, 3.0, 3.0, 0.0]])
    labels = Labels([7], [7, 8, 9, 7, 7], [0], [1, 1, 1, 2, 0])  # the last is ignored
    for ties, expected in (("pessimistic", [3, 4]), ("optimistic", [2, 3])):
        ranks = match_ranks(distances, SameIdentity(labels), ties)
        assert ranks.ranks.tolist() == expected
        assert ranks.first.tolist() == [0, 2]


@pytest.mark.usefixtures("kernel")
def test_infinite_distances_are_ranked_last():
    distances = [[np.inf, 1.0, np.inf]]
    result = evaluate(distances, Labels([1], [1, 2, 3], [0], [1, 1, 1]))
    assert result.first_rank.tolist() == [3]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.usefixtures("kernel")
def test_a_matrix_is_compared_in_its_own_precision(dtype):
    near, far = 1.0, 1.0 + 1e-12  # equal in float32
    labels = Labels([1], [1, 2], [0], [1, 1])
    result = evaluate(np.array([[near, far]], dtype=dtype), labels)
    assert result.first_rank[0] == (1 if dtype == np.float64 else 2)


def test_a_mistyped_tie_rule_is_answered_with_the_right_one():
    distances, labels = MatrixDistances([[1.0]]), Labels([1], [1], [0], [1])
    with pytest.raises(UserError, match="optimistic"):
        match_ranks(distances, SameIdentity(labels), "optimstic")


def test_a_nan_distance_is_named():
    distances = np.zeros((5, 9))
    distances[3, 8] = np.nan
    labels = Labels(np.arange(5), np.arange(9), np.zeros(5), np.ones(9))
    with pytest.raises(DataError, match="query 3 to gallery item 8 is NaN"):
        evaluate(distances, labels)


def test_features_on_another_layout_or_precision_are_ranked_alike(irrational):
    query, gallery, labels = irrational
    plain = evaluate_features(query, gallery, *labels)
    strided = np.asfortranarray(gallery)
    np.testing.assert_array_equal(
        evaluate_features(np.asfortranarray(query), strided, *labels).ap, plain.ap
    )
    half = [torch.from_numpy(part).half() for part in (query, gallery)]
    as_half = evaluate_features(*half, *labels)
    as_single = evaluate_features(*(part.float() for part in half), *labels)
    assert as_half.mAP == pytest.approx(as_single.mAP, abs=1e-6)
    double = evaluate_features(query.astype(np.float64), gallery.astype(np.float64), *labels)
    assert double.mAP == pytest.approx(plain.mAP, abs=1e-6)
    assert FeatureDistances(*half).shape == (300, 1111)
