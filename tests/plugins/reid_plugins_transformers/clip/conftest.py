"""Tiny runs of CLIP-ReID: both towers of 64 dimensions, patches of half an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reidcore.testing import TinyRun, fake_dataset, tiny_run

Train = Callable[..., TinyRun]

TOWERS = {
    "clipreid_vit_b": ["model.width=64", "model.depth=1"],
    "clipreid_rn50": ["model.width=4"],
}
SETTINGS = [
    *("model.text_width=64", "model.text_depth=1", "model.embedding=16"),
    *("data.height=32", "data.width=32", "train.max_epoch=2", "train.lr=0.001"),
    *("loss.name=clipreid", "loss.terms={softmax: 0.5, triplet: 3.0}"),
    *("loss.clipreid.prompt_epochs=2", "loss.clipreid.prompt_warmup_epochs=1"),
    *("loss.clipreid.prompt_batch_size=10", "loss.clipreid.prompt_lr=0.05"),
    *("sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2"),
    *(f"settings.writers.{each}=false" for each in ("tensorboard", "jsonl", "log")),
]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny dataset: six identities of four images each."""
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny")
    return folder


def tiny(
    folder: Path,
    root: Path,
    *overrides: str,
    plugins: tuple[Any, ...] = (),
    model: str = "clipreid_vit_b",
) -> TinyRun:
    """Train two epochs of each stage into a folder."""
    settings = [*TOWERS.get(model, ()), *(SETTINGS if model in TOWERS else SETTINGS[3:])]
    return tiny_run(
        *plugins, save_dir=folder, root=root, model=model, overrides=[*settings, *overrides]
    )


@pytest.fixture
def train(root: Path, tmp_path: Path) -> Train:
    """Return a function that trains two epochs of each stage into a folder of its own."""
    return lambda name, *overrides, **options: tiny(tmp_path / name, root, *overrides, **options)


@pytest.fixture(scope="session")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """A run of both stages that never stopped, to look at."""
    return tiny(tmp_path_factory.mktemp("whole"), root)
