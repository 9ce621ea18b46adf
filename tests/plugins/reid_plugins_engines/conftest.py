"""A tiny world to train in: five people, a network of one convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from reidcore import data, hookimpl
from reidcore.data import ImageDataManager
from reidcore.models import ReidModel
from reidcore.plugins import Plugins, make_plugins


class SmallNet(ReidModel):
    """A convolution and a classifier."""

    feature_dim = 8

    def __init__(self, num_classes: int, loss: str = "softmax", pretrained: bool = False) -> None:
        super().__init__(loss)
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.classifier = nn.Linear(8, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        return torch.relu(self.conv(images))

    def embed(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


class SmallWorld:
    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("small", lambda root: data.from_folders(Path(root) / "small"))

    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("smallnet", SmallNet)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the dataset: 2 to 6 training images of a person."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, first, shots in (("train", 1, 1), ("query", 11, 1), ("gallery", 11, 1)):
        (folder / "small" / split).mkdir(parents=True)
        for pid in range(first, first + 5):
            shade = np.random.default_rng(pid).integers(60, 200, 3)
            for camera in (1, 2):
                for shot in range(shots + (pid % 3 if split == "train" else 0)):
                    pixels = (shade + rng.integers(-30, 30, (16, 8, 3))).astype(np.uint8)
                    path = folder / "small" / split / f"{pid:04d}_c{camera}_{shot}.png"
                    Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    """The installed plugins and the tiny world."""
    with make_plugins(extra=[SmallWorld()]) as made:
        yield made


@pytest.fixture
def manage(root: Path, plugins: Plugins) -> Callable[..., ImageDataManager]:
    """Return a function that makes the loaders."""

    def make(**options: Any) -> ImageDataManager:
        arguments: dict[str, Any] = {
            "sources": "small",
            "height": 16,
            "width": 8,
            "batch_size": 8,
            "num_instances": 4,
            "train_sampler": "RandomIdentitySampler",
            "workers": 0,
            **options,
        }
        return ImageDataManager(str(root), plugins=plugins, **arguments)

    return make
