"""What a run will write itself, though the files in its folder have it already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reidcore.engine import Engine, Run

Line = Mapping[str, Any]
"""Where figures are of: ``kind``, ``epoch``, of a step ``batch``, of a test ``target``."""


def figures_again(engine: Engine) -> Callable[[Line], bool] | None:
    """Return what tells whether a run that starts will write figures again; None if it writes none.

    A run that was killed may have written figures of what its last checkpoint does not hold. They
    give way to those of the run that resumes, or that begins anew where it left no results.
    """
    run, results = engine.active_run, Path(engine.plan.save_dir) / "results.json"
    if run is None or not (engine.record.history or run.position.batch or not results.exists()):
        return None
    return partial(_come_again, engine=engine, run=run)


def _come_again(line: Line, engine: Engine, run: Run) -> bool:
    kind, epoch, done = line.get("kind"), line.get("epoch", 0), engine.plan.start_epoch
    if kind == "step":
        return (epoch, line.get("batch", 0)) > (done + 1, run.position.batch)
    if kind == "test" and epoch == done:
        return run.tests.repeat(line.get("target", ""))
    return bool(epoch > done)
