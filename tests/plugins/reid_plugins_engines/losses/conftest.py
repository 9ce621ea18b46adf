"""Recorded losses, and what a criterion makes of recorded inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

Arrays = dict[str, np.ndarray]
Measured = tuple[float, np.ndarray]


@pytest.fixture(scope="session")
def gold() -> Arrays:
    """Torchreid's inputs, values and gradients."""
    with np.load(Path(__file__).parents[3] / "fixtures" / "losses" / "losses.npz") as stored:
        return dict(stored)


@pytest.fixture
def measure() -> Callable[..., Measured]:
    """Return a function that gives a criterion's value and gradient."""

    def run(
        criterion: Callable[[Tensor, Tensor], Tensor], inputs: np.ndarray, targets: np.ndarray
    ) -> Measured:
        leaf = torch.tensor(inputs, requires_grad=True)
        value = criterion(leaf, torch.tensor(targets))
        value.backward()
        assert leaf.grad is not None
        return value.item(), leaf.grad.numpy()

    return run
