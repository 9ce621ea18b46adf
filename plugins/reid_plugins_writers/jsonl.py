"""Figures as JSON lines: one object a line, readable while the run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_writers.writer import Writer

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult

FILE = "metrics.jsonl"


class JsonLines(Writer):
    """Appends to ``metrics.jsonl``; a resumed run goes on in the same file.

    Each line has its ``kind``: ``step`` (every ``print_freq`` batches), ``epoch`` or ``test``.

    Args:
        save_dir: the run's folder.
    """

    def __init__(self, save_dir: str) -> None:
        self.path = Path(save_dir) / FILE

    def step_done(self, engine: Engine) -> None:
        """Write the training figures, where they are due."""
        run = engine.active_run
        if run is None or not run.shows_figures:
            return
        at = run.position
        self._append(
            {"kind": "step", "epoch": at.epoch, "batch": at.batch, **run.timings(), **run.figures()}
        )

    def epoch_done(self, engine: Engine) -> None:
        """Write the epoch's entry in the record."""
        self._append({"kind": "epoch", **engine.record.history[-1]})

    def test_done(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Write each target's figures."""
        history = engine.record.history
        epoch = history[-1]["epoch"] if history else engine.plan.start_epoch
        for target, result in results.items():
            figures = result.ranking.summary(engine.plan.ranks)
            self._append({"kind": "test", "epoch": epoch, "target": target, **figures})

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
