"""A run of several processes, whole and in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reidcore import hookimpl
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine import Engine, Interrupted, barrier
from reidcore.testing import fake_dataset, tiny_run

SETTINGS = ["train.max_epoch=2", "train.print_freq=1", "test.eval_freq=1", "train.accumulate=2"]

VALIDATION = ["test.select_on=validation", "test.validation_share=0.3"]


class StopAt:
    """Asks one process for the run's end after a step, from 1."""

    def __init__(self, step: int) -> None:
        self.step, self.seen = step, 0

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.seen += 1
        if self.seen == self.step and rank_and_world()[0] == 1:
            engine.interruption.ask()


def case_resume(folder: Path) -> dict[str, Any]:
    """Stop within an epoch, where dropout differs between processes and gradients wait."""
    root = folder / "data"
    if rank_and_world()[0] == 0:
        fake_dataset(root / "tiny")
    barrier()
    whole = tiny_run(save_dir=folder / "whole", root=root, overrides=SETTINGS)
    parts = folder / "parts"
    try:
        tiny_run(StopAt(4), save_dir=parts, root=root, overrides=SETTINGS)
    except Interrupted:
        barrier()
    (stopped,) = parts.glob("model-interrupted*")
    resume = f"model.resume={stopped}"
    resumed = tiny_run(save_dir=parts, root=root, overrides=[*SETTINGS, resume])
    chosen = tiny_run(save_dir=folder / "chosen", root=root, overrides=[*SETTINGS, *VALIDATION])
    return {
        "chosen": chosen.engine.model.state_dict(),
        "selection": chosen.result["selection"],
        "whole": whole.engine.model.state_dict(),
        "resumed": resumed.engine.model.state_dict(),
        "figures": [_figures(each.result) for each in (whole, resumed)],
        "stopped": str(stopped),
        "root": str(root),
    }


def _figures(result: dict[str, Any]) -> list[dict[str, float]]:
    return [
        {name: value for name, value in epoch.items() if not name.endswith("seconds")}
        for epoch in result["training"]
    ]
