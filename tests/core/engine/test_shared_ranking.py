"""Where features are compared; how processes share it is tested in distributed/test_testing.py."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from reidcore.engine import shared_ranking
from reidcore.engine.shared_ranking import GalleryShare, on_device, shared
from reidcore.errors import UserError
from reidcore.evaluation import FeatureDistances, Labels, MatrixDistances, evaluate
from reidcore.evaluation.counting import Scan
from reidcore.evaluation.kernel import counting_with

GIGABYTE = 1 << 30
CUDA = torch.device("cuda")


@pytest.fixture
def distances() -> FeatureDistances:
    rng = np.random.default_rng(0)
    return FeatureDistances(rng.standard_normal((9, 4)), rng.standard_normal((30, 4)))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A device that is not there: what it has free, and features that are moved stay here."""
    bytes_of = {"free": 0, "reserved": 0, "allocated": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (bytes_of["free"], 0))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: bytes_of["reserved"])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: bytes_of["allocated"])
    monkeypatch.setattr(FeatureDistances, "to", lambda self, device: ("on", device))
    return bytes_of


@pytest.mark.parametrize(
    ("of_device", "of_cache", "moves"),
    [(2 * GIGABYTE, 0, True), (GIGABYTE // 2, 0, False), (GIGABYTE // 2, GIGABYTE, True)],
)
def test_features_are_compared_on_the_device_that_has_the_memory(
    distances: FeatureDistances,
    free: dict[str, int],
    caplog: pytest.LogCaptureFixture,
    of_device: int,
    of_cache: int,
    moves: bool,
) -> None:
    free |= {"free": of_device, "reserved": of_cache + 5, "allocated": 5}
    with caplog.at_level(logging.INFO, "reidcore"):
        found: Any = on_device(distances, CUDA)
    assert (found == ("on", CUDA)) is moves
    assert ("compared on the CPU: cuda has 512 MB free" in caplog.text) is not moves


def test_other_distances_and_devices_stay_as_they_are(distances: FeatureDistances) -> None:
    matrix = MatrixDistances(np.ones((2, 3)))
    assert on_device(matrix, CUDA) is matrix
    for device in ("cpu", "mps"):
        assert on_device(distances, torch.device(device)) is distances
    assert shared(distances) is distances  # there is one process


def test_distances_that_a_plugin_makes_in_its_own_way_are_not_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(FeatureDistances):
        def scans(self) -> Iterator[Scan]:
            raise AssertionError("a way of its own")

    monkeypatch.setattr(shared_ranking, "rank_and_world", lambda: (0, 2))
    own = Own(np.ones((2, 3)), np.ones((4, 3)))
    assert shared(own) is own


def test_a_process_that_computes_otherwise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("reidcore.evaluation._counting")
    query = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
    whole = FeatureDistances(query, query)
    monkeypatch.setattr(shared_ranking, "rank_and_world", lambda: (1, 2))
    monkeypatch.setattr(shared_ranking, "receive_from_main", lambda *_: whole.gallery[3:])
    request = shared_ranking._Features(whole.query, 6, torch.float32, "euclidean", whole.arithmetic)
    share = GalleryShare(torch.device("cpu"))
    share(request)
    with counting_with("torch"), pytest.raises(UserError, match=r"process 1 compares .* float64"):
        share(request)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_device_finds_the_figures_of_the_cpu(distances: FeatureDistances) -> None:
    rng = np.random.default_rng(2)
    labels = Labels(*(rng.integers(0, high, n) for high in (3, 9) for n in (9, 30)))
    there = on_device(distances, CUDA)
    assert isinstance(there, FeatureDistances)
    assert there.query.device.type == "cuda"
    np.testing.assert_array_equal(evaluate(there, labels).ap, evaluate(distances, labels).ap)
