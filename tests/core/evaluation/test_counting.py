"""The counting kernels, compiled and torch's, against comparisons written out."""

import numpy as np
import pytest
import torch

from reidcore.evaluation import counting as torch_counting


def make(queries, gallery, dim, per_query, seed=0):
    """Features on a grid, so that keys are exact in float32, and ragged lists of pairs."""
    rng = np.random.default_rng(seed)
    query, items = (
        rng.integers(-8, 8, (n, dim)).astype(np.float32) / 4 for n in (queries, gallery)
    )
    sizes = rng.integers(0, per_query + 1, queries)
    first = np.concatenate([[0], np.cumsum(sizes)])
    chosen = rng.integers(0, gallery, first[-1])
    keys = (items**2).sum(1) / 2 - query @ items.T
    return query, items, keys, first, chosen


def loosest_first(keys, first):
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return keys[np.lexsort((-keys, owner))]


def expected_counts(keys, limits, first, strict):
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    compare = np.less if strict else np.less_equal
    return compare(keys[owner], limits[:, None]).sum(1)


SIZES = [(1, 1, 1, 1), (5, 300, 7, 4), (50, 700, 37, 10), (13, 256, 64, 300), (25, 513, 1, 3)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("strict", [False, True])
def test_feature_scans_count_exactly_on_every_instruction_set(counting, size, strict):
    query, items, keys, first, chosen = make(*size)
    owner = np.repeat(np.arange(len(query)), np.diff(first))
    for index, _ in enumerate(counting.kernels()):
        for threads in (1, 3):
            scan = counting.FeatureScan(query, items, False, threads, index)
            pairs = scan.keys(first, chosen)
            np.testing.assert_array_equal(pairs, keys[owner, chosen])
            limits = loosest_first(pairs, first)
            np.testing.assert_array_equal(
                scan.counts(limits, first, strict), expected_counts(keys, limits, first, strict)
            )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_counted_exactly(counting, size, strict, dtype):
    _, _, keys, first, chosen = make(*size)
    keys = keys.astype(dtype)
    owner = np.repeat(np.arange(len(keys)), np.diff(first))
    limits = loosest_first(keys[owner, chosen], first)
    expected = expected_counts(keys, limits, first, strict)
    np.testing.assert_array_equal(counting.count_rows(keys, limits, first, strict, 2), expected)
    np.testing.assert_array_equal(
        torch_counting.count_rows(torch.from_numpy(keys), limits, first, strict), expected
    )


def test_torch_counts_across_tiles(monkeypatch):
    monkeypatch.setattr(torch_counting, "_TILE", 1000)
    _, _, keys, first, chosen = make(50, 700, 37, 10)
    owner = np.repeat(np.arange(50), np.diff(first))
    limits = loosest_first(keys[owner, chosen], first)
    np.testing.assert_array_equal(
        torch_counting.count_rows(torch.from_numpy(keys), limits, first, False),
        expected_counts(keys, limits, first, False),
    )


def test_a_key_does_not_depend_on_where_its_item_stands(counting):
    rng = np.random.default_rng(1)
    query = rng.standard_normal((30, 131)).astype(np.float32)
    item = rng.standard_normal(131).astype(np.float32)
    gallery = np.tile(item, (600, 1))
    for cosine in (False, True):
        scan = counting.FeatureScan(query, gallery, cosine, 2)
        first = np.arange(31) * 600
        keys = scan.keys(first, np.tile(np.arange(600), 30)).reshape(30, 600)
        assert (keys == keys[:, :1]).all()
        limits = np.ascontiguousarray(keys[:, 0])
        within = scan.counts(limits, np.arange(31), False)
        assert (within == 600).all()
        assert (scan.counts(limits, np.arange(31), True) == 0).all()


def test_a_kernel_that_the_processor_lacks_is_refused(counting):
    features = np.zeros((1, 4), dtype=np.float32)
    with pytest.raises(IndexError):
        counting.FeatureScan(features, features, False, 1, len(counting.kernels()))
