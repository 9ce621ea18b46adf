"""Folders of runs, as runs leave them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reidcore.config import Config
from reidcore.testing import tiny_run

WriteRun = Callable[..., Path]


def figures(value: float) -> dict[str, Any]:
    """Return a target's figures, all of one value."""
    names = ("mAP", "mINP", "rank1", "rank5", "rank10")
    return {**dict.fromkeys(names, value), "figures": {}, "num_valid_queries": 7, "rerank": False}


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Write the folder of a run, whose figures all have one value.

    Overrides are ``key=value`` of its configuration, where dots are written as ``__``.
    """
    default = Config().model_dump(mode="json")

    def write(
        name: str,
        value: float | None = 0.5,
        epochs: int = 3,
        is_finished: bool = True,
        max_epoch: int | None = None,
        targets: tuple[str, ...] = ("shop",),
        **overrides: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        config = copy.deepcopy(default)
        config["data"]["save_dir"] = name
        for key, given in overrides.items():
            *above, last = key.split("__")
            section = config
            for part in above:
                section = section.setdefault(part, {})
            section[last] = given
        history = [
            {"epoch": n, "softmax": 4.0 / n, "acc": 10.0 * n, "lr": 0.1, "seconds": 2.0}
            for n in range(1, epochs + 1)
        ]
        found = {target: figures(value) for target in targets} if value is not None else {}
        lines = [{"kind": "epoch", **epoch} for epoch in history] + [
            {"kind": "test", "epoch": epochs, "target": target, "mAP": value, "rank1": value}
            for target in found
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        record = {
            "format": 1,
            "finished": is_finished,
            "targets": found,
            "training": history,
            "timings": {"total_seconds": 12.5},
            "config": config,
            "versions": {"torch": "2.6"},
            "device": "cpu",
            "max_epoch": max_epoch,
        }
        (folder / "results.json").write_text(json.dumps(record))
        return folder

    return write


class TinyModel(NamedTuple):
    """A model that was trained on the fake dataset ``tiny``.

    Attributes:
        folder: its run's.
        root: the folder of datasets.
        plugin: the file of the plugin that has model and dataset.
    """

    folder: Path
    root: Path
    plugin: Path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Train for an epoch, once for all tests; nothing writes into the folder of the run."""
    top = tmp_path_factory.mktemp("tiny_model")
    (top / "tinyworld.py").write_text(
        "from reidcore.testing import TinyWorld\n\n_world = TinyWorld()\n"
        "reid_register_models = _world.reid_register_models\n"
        "reid_register_datasets = _world.reid_register_datasets\n"
    )
    plain = ["settings.writers.tensorboard=false"]
    tiny_run(save_dir=top / "run", root=top / "data", overrides=plain)
    return TinyModel(top / "run", top / "data", top / "tinyworld.py")
