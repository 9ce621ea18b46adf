"""A small trained model, exported once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reidcore.models import build_model
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld, fake_dataset
from reidcore.utils import save_checkpoint


@pytest.fixture(scope="session")
def plugins():
    return make_plugins(extra=[TinyWorld()])


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory, plugins) -> Path:
    """A checkpoint that tells all of its model and its images."""
    torch.manual_seed(3)
    model = build_model("tinynet", 4, pretrained=False, plugins=plugins)
    for name, value in model.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 1.5)
    model.norm.bias.data.fill_(1.0)  # no feature is 0, whatever the image
    own = {
        "version": "0.1.0",
        "model": {"name": "tinynet", "options": {}, "feature_dim": 8},
        "preprocessing": {
            "height": 32,
            "width": 16,
            "norm_mean": [0.4, 0.5, 0.6],
            "norm_std": [0.2, 0.3, 0.25],
            "resize": "torch",
            "reading": "viewer",
        },
        "test": {"dist_metric": "cosine", "normalize_feature": False},
        "hooks": {"shop": {"kept": 5}},
    }
    state = {"state_dict": model.state_dict(), "epoch": 2, "reidcore": own}
    return save_checkpoint(state, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> str:
    """The folder of the dataset ``tiny``: six identities to learn from, six to find."""
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny", images=4)
    return str(folder)
