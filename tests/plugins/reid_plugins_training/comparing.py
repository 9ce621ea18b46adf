"""What two tiny runs are compared by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reidcore.testing import TinyRun
from reidcore.utils import load_checkpoint


def weights(run: TinyRun, name: str = "model") -> dict[str, Tensor]:
    """Return what the last checkpoint of a run holds as its model."""
    folder = Path(run.engine.plan.save_dir)
    held: dict[str, Tensor] = load_checkpoint(folder / f"{name}.pth.tar-2")["state_dict"]
    return held


def figures(run: TinyRun) -> list[dict[str, Any]]:
    """Return what the record says of each epoch, but for what a clock measured."""
    return [
        {name: value for name, value in epoch.items() if not name.endswith("seconds")}
        for epoch in run.result["training"]
    ]


def assert_same(first: TinyRun, second: TinyRun) -> None:
    """Hold two runs to the same weights, bit for bit, and the same figures of each epoch."""
    mine, yours = weights(first), weights(second)
    assert mine.keys() == yours.keys()
    assert [key for key, value in mine.items() if not torch.equal(value, yours[key])] == []
    assert figures(first) == figures(second)
