"""Counts by 16-bit numbers equal those of the float32 keys, whatever the features are."""

from __future__ import annotations

import numpy as np
import pytest

from reidcore.evaluation import evaluate_features
from tests.core.evaluation.hard_features import KINDS, alike, grid, normal

QUERIES, GALLERY, LIMITS = 15, 300, 12  # more than a panel, more than a tile


def filtering(counting):
    """The kernels that round to 16 bits first, by index; AVX2 and AVX-512 VNNI have them."""
    return [i for i, name in enumerate(counting.kernels()) if name in ("AVX2", "AVX-512 VNNI")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dim", [32, 33, 131, 512])
@pytest.mark.parametrize("cosine", [False, True])
def test_counts_are_those_of_the_keys(counting, kind, dim, cosine):
    rng = np.random.default_rng(dim)
    query, gallery = kind(rng, QUERIES, dim), kind(rng, GALLERY, dim)
    first = np.arange(QUERIES + 1)
    for index in filtering(counting):
        scan = counting.FeatureScan(query, gallery, cosine, 1, index)
        keys = scan.keys(first * GALLERY, np.tile(np.arange(GALLERY), QUERIES))
        keys = keys.reshape(QUERIES, GALLERY)
        chosen = keys[:, rng.integers(0, GALLERY, LIMITS)]
        up, down = (np.nextafter(chosen, np.float32(to)) for to in (np.inf, -np.inf))
        limits = -np.sort(-np.concatenate([chosen, up, down], axis=1), axis=1)
        assert scan.is_filtered
        for strict in (False, True):
            within = np.less if strict else np.less_equal
            expected = within(keys[:, None], limits[:, :, None]).sum(2)
            found = scan.counts(limits.ravel(), first * limits.shape[1], strict)
            np.testing.assert_array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize(("kind", "dim", "pays"), [(normal, 32, True), (grid, 32, False),
                                                   (normal, 31, False)])  # fmt: skip
def test_codes_are_used_where_they_decide(counting, kind, dim, pays):
    """Also where each query's matches lie together, as in folders that are sorted by identity."""
    rng, queries, matches = np.random.default_rng(1), 240, 12
    query, gallery = kind(rng, queries, dim), kind(rng, queries * 3, dim)
    items = np.arange(queries)[:, None] // 4 * matches + np.arange(matches)  # of four queries each
    first = np.arange(queries + 1) * matches
    for index in filtering(counting):
        scan = counting.FeatureScan(query, gallery, False, 1, index)
        keys = scan.keys(first, items.ravel()).reshape(items.shape)
        limits = -np.sort(-keys, axis=1)
        scan.counts(limits.ravel(), first, False)
        assert scan.is_filtered == pays
        many = limits.repeat(4, axis=1)  # bounding keys for so many costs more than it saves
        scan.counts(many.ravel(), first * 4, False)
        assert not scan.is_filtered


def test_keys_are_the_same_on_every_instruction_set_that_multiplies_and_adds_at_once(counting):
    rng = np.random.default_rng(5)
    query, gallery = normal(rng, QUERIES, 77), normal(rng, GALLERY, 77)
    first, items = np.arange(QUERIES + 1) * GALLERY, np.tile(np.arange(GALLERY), QUERIES)
    found = [
        counting.FeatureScan(query, gallery, False, 1, index).keys(first, items)
        for index, name in enumerate(counting.kernels())
        if name != "portable"
    ]
    for keys in found[1:]:
        np.testing.assert_array_equal(keys, found[0])


def test_a_key_is_one_chain_over_the_dimensions(counting):
    """In double, rounded after each product: what a fused multiply-add gives."""
    rng = np.random.default_rng(6)
    query, gallery = normal(rng, 3, 40), normal(rng, 5, 40)
    chain = np.zeros((3, 5), dtype=np.float32)
    for k in range(40):
        product = query[:, k, None].astype(np.float64) * gallery[:, k]
        chain = (product + chain).astype(np.float32)  # exact but for one rounding here
    expected = ((gallery.astype(np.float64) ** 2).sum(1) / 2).astype(np.float32) - chain
    scan = counting.FeatureScan(query, gallery, False, 1)
    keys = scan.keys(np.arange(4) * 5, np.tile(np.arange(5), 3)).reshape(3, 5)
    if counting.kernels()[0] == "portable":
        np.testing.assert_allclose(keys, expected, rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_array_equal(keys, expected)


@pytest.mark.parametrize("kind", [normal, grid, alike], ids=lambda kind: kind.__name__)
def test_figures_do_not_depend_on_the_order_of_the_gallery(counting, kind):
    rng = np.random.default_rng(9)
    features = kind(rng, 40, 64), kind(rng, 700, 64)
    q_pids, g_pids, q_camids, g_camids = (
        rng.integers(0, high, count) for high in (9, 4) for count in (40, 700)
    )
    order = rng.permutation(700)
    for metric in ("euclidean", "cosine"):
        one = evaluate_features(*features, q_pids, g_pids, q_camids, g_camids, metric)
        other = evaluate_features(
            features[0],
            features[1][order],
            q_pids,
            g_pids[order],
            q_camids,
            g_camids[order],
            metric,
        )
        np.testing.assert_array_equal(one.ap, other.ap)
        np.testing.assert_array_equal(one.cmc, other.cmc)
