"""A run from configuration to record, of the size of a test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reidcore._logging import configure_if_bare
from reidcore.config import load_config
from reidcore.engine.build import prepare
from reidcore.testing.people import fake_dataset
from reidcore.testing.selecting import make_plugins
from reidcore.testing.tiny import TinyWorld

if TYPE_CHECKING:
    from reidcore.engine import Engine

PathLike = str | os.PathLike[str]


class TinyRun(NamedTuple):
    """What a tiny run leaves.

    Attributes:
        result: what ``results.json`` holds: ``targets``, ``training`` (an entry for each epoch with
            the loss terms by name), ``step``, ``plugins``, ...
        engine: the engine, with ``model``, ``optimizer``, ``datamanager`` and the rest.
    """

    result: dict[str, Any]
    engine: Engine


def tiny_run(
    *plugins: Any,
    save_dir: PathLike,
    root: PathLike | None = None,
    dataset: str = "tiny",
    model: str = "tinynet",
    overrides: Sequence[str] = (),
) -> TinyRun:
    """Train for one epoch and test, as ``reidcore run`` does, in about a second.

    The network is `TinyNet`, and the dataset six people drawn by `fake_dataset`; images are 32 by
    16 pixels, and everything happens on the CPU.

    Args:
        plugins: those under test, see `make_plugins`.
        save_dir: gets checkpoints, TensorBoard's files and ``results.json``.
        root: where datasets are; ``save_dir/data`` unless it is given.
        dataset: the dataset to learn from and to test on.
        model: the model to train.
        overrides: further settings, as on the command line: ``["loss.name=triplet"]``.

    Raises:
        UserError: whatever is wrong with the run, as the command line would tell it.
    """
    folder = Path(root if root is not None else Path(save_dir, "data"))
    if dataset == "tiny" and not (folder / "tiny").exists():
        fake_dataset(folder / "tiny")
    base = {
        "use_gpu": False,
        "model": {"name": model, "pretrained": False},
        "data": {
            "root": str(folder),
            "sources": [dataset],
            "targets": [dataset],
            "height": 32,
            "width": 16,
            "workers": 0,
            "save_dir": str(save_dir),
        },
        "train": {"batch_size": 8, "max_epoch": 1, "keep_memory": False},
    }
    configure_if_bare()
    with make_plugins(TinyWorld(), *plugins) as made:
        config = load_config(base, overrides, plugins=made)
        made.hook.reid_configure(config=config)
        engine, plan = prepare(config, made)
        return TinyRun(engine.execute(plan), engine)
