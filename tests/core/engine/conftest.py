"""An engine in the tiny world, that a laptop trains in a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reidcore.engine import Engine
from reidcore.plugins import Plugins, make_plugins
from reidcore.testing import TinyWorld, fake_dataset


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny dataset."""
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny")
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
        pace: Mapping[str, Any] | None = None,
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
        schedule = build_lr_scheduler(
            optimizer, scheduler, stepsize=1, max_epoch=max_epoch, **(pace or {})
        )
        if engine_class is None:
            return ImageSoftmaxEngine(
                datamanager, model, optimizer, scheduler=schedule, plugins=made, **options
            )
        engine = engine_class(datamanager, plugins=made, **options)
        engine.register_model("model", model, optimizer, schedule)
        return engine

    return build
