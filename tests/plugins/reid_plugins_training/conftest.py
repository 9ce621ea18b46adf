"""Tiny runs with tricks: from the settings, stopped and resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reidcore.engine import Interrupted
from reidcore.testing import TinyRun, fake_dataset, tiny_run
from tests.stopping import StopAfter

Train = Callable[..., TinyRun]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny dataset: epochs of three batches."""
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny")
    return folder


@pytest.fixture
def train(root: Path, tmp_path: Path) -> Train:
    """Return a function that trains two epochs into a folder of its own, without writers."""

    def run(name: str, *settings: str, plugins: tuple[Any, ...] = ()) -> TinyRun:
        quiet = [f"settings.writers.{each}=false" for each in ("tensorboard", "jsonl", "log")]
        overrides = ["train.max_epoch=2", "train.lr=0.01", *quiet, *settings]
        return tiny_run(*plugins, save_dir=tmp_path / name, root=root, overrides=overrides)

    return run


@pytest.fixture
def train_in_parts(train: Train, tmp_path: Path) -> Train:
    """Return a function that trains likewise, but is stopped after some batches and resumed."""

    def run(name: str, *settings: str, batches: int, plugins: tuple[Any, ...] = ()) -> TinyRun:
        with pytest.raises(Interrupted):
            train(name, *settings, plugins=(*plugins, StopAfter(batches)))
        (path,) = (tmp_path / name).glob("model-interrupted.pth.tar-*")
        return train(name, *settings, f"model.resume={path}", plugins=plugins)

    return run
