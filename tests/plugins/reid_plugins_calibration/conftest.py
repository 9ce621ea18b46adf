"""Features of identities that are drawn, as a network might give them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest


class Drawn(NamedTuple):
    """N images: features (N, D), identities and cameras (N,)."""

    features: npt.NDArray[np.float64]
    pids: npt.NDArray[np.int64]
    camids: npt.NDArray[np.int64]


Draw = Callable[..., Drawn]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draw identities, each with so many images; some identities are harder than others."""

    def made(
        identities: int, images: int = 4, cameras: int = 2, seed: int = 0, dims: int = 12
    ) -> Drawn:
        rng = np.random.default_rng(seed)
        scales = np.linspace(1.6, 0.4, dims)
        centres = rng.normal(size=(identities, dims)) * scales + 0.35 * scales
        pids = np.repeat(np.arange(identities), images)
        noise = 0.6 * rng.gamma(2, 0.5, identities)[pids, None]
        features = centres[pids] + noise * rng.normal(size=(len(pids), dims))
        return Drawn(features, pids, np.tile(np.arange(images) % cameras, identities))

    return made


@pytest.fixture
def features_file(tmp_path: Path, draw: Draw) -> Path:
    """A file of features of 80 identities."""
    path = tmp_path / "features.npz"
    features, pids, camids = draw(80, images=4, cameras=3)
    np.savez(path, features=features, pids=pids, camids=camids)
    return path
