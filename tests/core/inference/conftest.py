"""A tiny network's weights, and what builds an extractor of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reidcore.inference import FeatureExtractor
from reidcore.testing import TinyNet, TinyWorld, make_plugins


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A bare state dict of tinynet."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.pth"
    torch.save(TinyNet(5).state_dict(), path)
    return path


@pytest.fixture
def make(weights):
    def build(model_name="tinynet", model_path=weights, **options) -> FeatureExtractor:
        own = {"image_size": (32, 16), "device": "cpu", "verbose": False}
        own["plugins"] = make_plugins(TinyWorld())
        return FeatureExtractor(model_name, model_path, **{**own, **options})

    return build
