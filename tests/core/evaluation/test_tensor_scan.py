"""Counts by products of matrices equal those of the float64 keys, whatever the products round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from reidcore.evaluation import FeatureDistances, evaluate_features, tensor_scan
from reidcore.evaluation.kernel import counting_with
from tests.core.evaluation.hard_features import KINDS, alike, grid, normal

QUERIES, GALLERY, LIMITS = 15, 300, 12
METRICS = ["euclidean", "cosine"]


def scan_of(query: Any, gallery: Any, metric: str = "euclidean") -> tensor_scan.TensorScan:
    with counting_with("torch"):
        (scan,) = FeatureDistances(query, gallery, metric).scans()
    assert isinstance(scan, tensor_scan.TensorScan)
    return scan


def all_keys(scan: tensor_scan.TensorScan) -> Any:
    first = np.arange(QUERIES + 1) * GALLERY
    keys = scan.keys(first, np.tile(np.arange(GALLERY), QUERIES))
    return keys.reshape(QUERIES, GALLERY)


def check_counts(scan: tensor_scan.TensorScan, rng: np.random.Generator) -> None:
    keys = all_keys(scan)
    assert np.isfinite(keys).all()
    chosen = keys[:, rng.integers(0, GALLERY, LIMITS)]
    up, down = (np.nextafter(chosen, to) for to in (np.inf, -np.inf))
    limits = -np.sort(-np.concatenate([chosen, up, down], axis=1), axis=1)
    for strict in (False, True):
        within = np.less if strict else np.less_equal
        expected = within(keys[:, None], limits[:, :, None]).sum(2)
        first = np.arange(QUERIES + 1) * limits.shape[1]
        np.testing.assert_array_equal(
            scan.counts(limits.ravel(), first, strict).reshape(expected.shape), expected
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_counts_are_those_of_the_keys(
    kind: Callable[..., Any], dtype: type, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    features = (kind(rng, count, 33).astype(dtype) for count in (QUERIES, GALLERY))
    monkeypatch.setattr(tensor_scan, "_CPU", tensor_scan._Room(256, 2000, 5000))
    check_counts(scan_of(*features, metric), rng)


@pytest.mark.parametrize("kind", [normal, alike], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("metric", METRICS)
def test_it_does_not_matter_how_products_and_norms_are_rounded(
    kind: Callable[..., Any], metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a device that adds in the worst order would."""
    rng, dim = np.random.default_rng(2), 512
    query, gallery = (torch.from_numpy(kind(rng, n, dim)) for n in (QUERIES, GALLERY))
    most = dim * 2.0**-24
    worst = most * torch.outer(query.norm(dim=1), gallery.norm(dim=1))
    multiply, add = torch.Tensor.mm, torch.addmm

    def signs(like: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(rng.choice([-1.0, 1.0], like.shape)).float()

    def off(product: torch.Tensor) -> torch.Tensor:
        return product + worst * signs(worst)

    monkeypatch.setattr(torch.Tensor, "mm", lambda *sides: off(multiply(*sides)))
    monkeypatch.setattr(torch, "addmm", lambda *a, **options: off(add(*a, **options)))
    scan = scan_of(query, gallery, metric)
    scan._norms = tuple(norms * (1 + most * signs(norms)) for norms in scan._norms)  # type: ignore[assignment]
    check_counts(scan, rng)


@pytest.mark.parametrize("metric", METRICS)
def test_keys_are_the_distances(metric: str) -> None:
    rng = np.random.default_rng(3)
    query, gallery = (normal(rng, n, 37).astype(np.float64) for n in (QUERIES, GALLERY))
    keys = all_keys(scan_of(query, gallery, metric))
    if metric == "cosine":
        lengths = np.linalg.norm(gallery, axis=1)
        expected = -query @ gallery.T / lengths
    else:
        expected = (gallery**2).sum(1) / 2 - query @ gallery.T
    np.testing.assert_allclose(keys, expected, rtol=1e-12, atol=1e-12)


def test_precision_is_what_it_was_afterwards_and_not_needed_before() -> None:
    """Products of bfloat16 or TF32 would be off by more than is allowed for."""
    rng = np.random.default_rng(4)
    features = normal(rng, QUERIES, 256), normal(rng, GALLERY, 256)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            check_counts(scan_of(*features), rng)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def labels_of(rng: np.random.Generator, queries: int, gallery: int) -> list[Any]:
    return [rng.integers(0, high, n) for high in (40, 5) for n in (queries, gallery)]


@pytest.mark.parametrize("kind", [normal, grid, alike], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("metric", METRICS)
def test_figures_do_not_depend_on_tiles_or_the_order_of_the_gallery(
    kind: Callable[..., Any], metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    query, gallery = kind(rng, 30, 33), kind(rng, 150, 33)
    q_pids, g_pids, q_camids, g_camids = labels_of(rng, 30, 150)
    order, found = rng.permutation(150), []
    for room in ((256, 1 << 19, 1 << 17), (7, 400, 1000), (4096, 1 << 22, 1 << 24)):
        monkeypatch.setattr(tensor_scan, "_CPU", tensor_scan._Room(*room))
        with counting_with("torch"):
            for chosen in (np.arange(150), order):
                labels = q_pids, g_pids[chosen], q_camids, g_camids[chosen]
                found.append(evaluate_features(query, gallery[chosen], *labels, metric=metric))
    for result in found[1:]:
        np.testing.assert_array_equal(result.ap, found[0].ap)
        np.testing.assert_array_equal(result.cmc, found[0].cmc)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("kind", [normal, grid, alike], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("metric", METRICS)
def test_figures_of_cuda_are_those_of_the_cpu(
    kind: Callable[..., Any], metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    query, gallery = kind(rng, 300, 512), kind(rng, 5000, 512)
    labels = labels_of(rng, 300, 5000)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    moved = (torch.from_numpy(side).cuda() for side in (query, gallery))
    there = evaluate_features(*moved, *labels, metric=metric)
    fast = evaluate_features(query, gallery, *labels, metric=metric)
    with counting_with("torch"):
        here = evaluate_features(query, gallery, *labels, metric=metric)
    np.testing.assert_array_equal(there.ap, here.ap)
    np.testing.assert_array_equal(there.cmc, here.cmc)
    assert there.mAP == pytest.approx(fast.mAP, abs=1e-6)
    np.testing.assert_allclose(there.cmc, fast.cmc, atol=1e-6 if kind is not grid else 0)
