"""Deterministic weights and images: they depend on nothing but names, shapes and a seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn


def _draws(text: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([zlib.crc32(text.encode()), seed]))


def _entry(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    draws = _draws(key, seed)
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if key.endswith("running_var"):
        return draws.uniform(0.5, 1.5, shape)
    if len(shape) >= 2 and not key.endswith("running_mean"):
        return draws.normal(0.0, np.sqrt(2 / np.prod(shape[1:])), shape)
    if key.endswith("weight"):
        return draws.uniform(0.8, 1.2, shape)
    return draws.normal(0.0, 0.1, shape)


@pytest.fixture(scope="session")
def fill() -> Callable[..., nn.Module]:
    """Overwrite a model's state dict, entry by entry, and return the model."""

    def fill(model: nn.Module, seed: int = 0) -> nn.Module:
        for key, value in model.state_dict().items():
            value.copy_(torch.as_tensor(_entry(key, tuple(value.shape), seed)))
        return model

    return fill


@pytest.fixture(scope="session")
def images() -> Callable[..., Tensor]:
    """Draw normal images (B, 3, H, W)."""

    def images(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
        draws = _draws(f"images-{batch}-{height}-{width}", seed)
        return torch.from_numpy(
            draws.standard_normal((batch, 3, height, width), np.float64)
        ).float()

    return images
