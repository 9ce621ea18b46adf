"""A plain reference evaluator and the recorded problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidcore.evaluation import kernel as kernel_module

GOLD = Path(__file__).parents[2] / "fixtures" / "evaluation"


@dataclass(frozen=True)
class Figures:
    cmc: list[float]
    ap: list[float]
    inp: list[float]


def rank_by_definition(
    distances, q_pids, g_pids, q_camids, g_camids, max_rank=50, optimistic=False
):
    """Write out the Market1501 protocol one pair at a time, a tie counting against the match."""
    cmc, ap, inp = [], [], []
    for row, pid, camid in zip(distances, q_pids, q_camids, strict=True):
        matches, others = [], []
        for distance, g_pid, g_camid in zip(row, g_pids, g_camids, strict=True):
            if g_pid != pid:
                others.append(distance)
            elif g_camid != camid:
                matches.append(distance)
        if not matches:
            continue
        ranks = []
        for index, mine in enumerate(sorted(matches), start=1):
            ahead = sum(other < mine if optimistic else other <= mine for other in others)
            ranks.append(index + ahead)
        depth = min(max_rank, len(row))
        cmc.append([ranks[0] <= rank for rank in range(1, depth + 1)])
        ap.append(sum(i / rank for i, rank in enumerate(ranks, start=1)) / len(ranks))
        inp.append(len(ranks) / ranks[-1])
    return Figures(list(np.mean(cmc, axis=0)), ap, inp)


def load_problem(number: int) -> dict[str, np.ndarray]:
    with np.load(GOLD / f"problem{number}.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def reference():
    return rank_by_definition


@pytest.fixture(scope="session", params=range(6), ids="problem{}".format)
def recorded(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    return load_problem(request.param)


@pytest.fixture(scope="session", params=[1, 2], ids="problem{}".format)
def recorded_cuhk03(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    """Those of the problems that have the single-gallery-shot figures."""
    return load_problem(request.param)


@pytest.fixture(params=["cython", "torch"])
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test with each counting kernel."""
    if request.param == "cython" and kernel_module.compiled() is None:
        pytest.skip("the extension is not compiled")
    with kernel_module.counting_with(request.param):
        yield request.param


@pytest.fixture
def counting() -> Any:
    return pytest.importorskip("reidcore.evaluation._counting")
