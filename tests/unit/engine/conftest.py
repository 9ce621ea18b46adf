"""A tiny world: a dataset, a model and an engine that a laptop trains in a second."""

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
from reidcore.engine import Engine
from reidcore.models import ReidModel
from reidcore.plugins import Plugins, make_plugins

IDS, CAMERAS, SHOTS = 6, 2, 2


class TinyNet(ReidModel):
    """One convolution, dropout, one classifier."""

    feature_dim = 8

    def __init__(self, num_classes: int, loss: str = "softmax", pretrained: bool = False) -> None:
        super().__init__(loss)
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.classifier = nn.Linear(8, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(images)))

    def embed(self, maps: Tensor) -> Tensor:
        return self.drop(maps.mean(dim=(2, 3)))


class TinyWorld:
    """The plugin that brings them."""

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("tiny", lambda root: data.from_folders(Path(root) / "tiny"))

    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("tinynet", TinyNet)


def write_people(folder: Path, first_pid: int) -> None:
    folder.mkdir(parents=True)
    for pid in range(first_pid, first_pid + IDS):
        shade = np.random.default_rng(pid).integers(0, 255, 3)
        for camera in range(1, CAMERAS + 1):
            for shot in range(SHOTS):
                noise = np.random.default_rng([pid, camera, shot]).integers(-40, 40, (32, 16, 3))
                pixels = np.clip(shade + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{pid:04d}_c{camera}_{shot}.png")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny dataset."""
    folder = tmp_path_factory.mktemp("data")
    write_people(folder / "tiny" / "train", 1)
    write_people(folder / "tiny" / "query", 101)
    write_people(folder / "tiny" / "gallery", 101)
    return folder


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    """The installed plugins and the tiny world."""
    with make_plugins(extra=[TinyWorld()]) as made:
        yield made


@pytest.fixture
def make_engine(root: Path) -> Callable[..., Engine]:
    """Return a function that builds a tiny engine, always from the same seed."""

    def build(
        *extra: Any,
        workers: int = 0,
        engine_class: type[Engine] | None = None,
        seed: int = 3,
        scheduler: str = "cosine",
        max_epoch: int = 4,
        batch_size: int = 8,
        **options: Any,
    ) -> Engine:
        from reidcore.data import ImageDataManager
        from reidcore.engine import ImageSoftmaxEngine
        from reidcore.models import build_model
        from reidcore.optim import build_lr_scheduler, build_optimizer
        from reidcore.utils import set_random_seed

        made = make_plugins(extra=[TinyWorld(), *extra])
        set_random_seed(seed)
        datamanager = ImageDataManager(
            root=str(root),
            sources="tiny",
            height=32,
            width=16,
            transforms=["random_flip", "random_erase"],
            batch_size=batch_size,
            workers=workers,
            seed=seed,
            plugins=made,
        )
        model = build_model("tinynet", datamanager.num_train_pids, plugins=made)
        optimizer = build_optimizer(model, lr=0.01)
        schedule = build_lr_scheduler(optimizer, scheduler, stepsize=1, max_epoch=max_epoch)
        if engine_class is None:
            return ImageSoftmaxEngine(
                datamanager, model, optimizer, scheduler=schedule, plugins=made, **options
            )
        engine = engine_class(datamanager, plugins=made, **options)
        engine.register_model("model", model, optimizer, schedule)
        return engine

    return build
