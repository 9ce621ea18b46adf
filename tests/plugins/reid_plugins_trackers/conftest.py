"""A frame with people of two colours each, and an extractor that sees colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore.inference import FeatureExtractor
from reidcore.testing import make_plugins

PLUGIN = Path(__file__).with_name("pixels_plugin.py")


@pytest.fixture(scope="session")
def pixels_plugin(load_script):
    return load_script(str(PLUGIN.relative_to(Path(__file__).parents[3])))


@pytest.fixture(scope="session")
def weights(pixels_plugin, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "pixels.pth"
    torch.save(pixels_plugin.Pixels(1).state_dict(), path)
    return path


@pytest.fixture
def extractor(pixels_plugin, weights) -> FeatureExtractor:
    return FeatureExtractor(
        "pixels",
        weights,
        image_size=(32, 16),
        device="cpu",
        verbose=False,
        plugins=make_plugins(pixels_plugin),
    )


@pytest.fixture
def frame() -> np.ndarray:
    """An RGB frame (90, 120, 3): grey, with a person in each of the boxes."""
    pixels = np.full((90, 120, 3), 90, dtype=np.uint8)
    colours = [((250, 20, 10), (10, 30, 200)), ((20, 220, 40), (240, 240, 20))]
    for (left, top, right, bottom), (upper, lower) in zip(BOXES, colours, strict=True):
        middle = (top + bottom) // 2
        pixels[top:middle, left:right] = upper
        pixels[middle:bottom, left:right] = lower
    return pixels


BOXES = [(10, 12, 30, 52), (60, 30, 84, 80)]


@pytest.fixture
def boxes() -> np.ndarray:
    """Where the people are: left, top, right and bottom, (2, 4)."""
    return np.array(BOXES, dtype=np.float32)
