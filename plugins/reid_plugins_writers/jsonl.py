"""Figures as JSON lines: one object a line, readable while the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_writers.resumption import Line, figures_again
from reid_plugins_writers.writer import Writer, group_rates
from reidcore.utils import atomic_write

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult

FILE = "metrics.jsonl"


class JsonLines(Writer):
    """Appends to ``metrics.jsonl``; a resumed run goes on in the same file.

    Each line has its ``kind``: ``step`` (every ``print_freq`` batches), ``epoch`` or ``test``.

    Args:
        engine: of a run that starts.
    """

    def __init__(self, engine: Engine) -> None:
        self.path = Path(engine.plan.save_dir) / FILE
        self._tested: tuple[Any, ...] = ()
        if (come_again := figures_again(engine)) is not None:
            self._drop(come_again)

    def step_done(self, engine: Engine) -> None:
        """Write the training figures, where they are due."""
        run = engine.active_run
        if run is None or not run.shows_figures:
            return
        at = run.position
        figures = run.timings() | run.figures() | group_rates(engine)
        place = {"epoch": at.epoch, "max_epoch": at.max_epoch, "batch": at.batch}
        self._append({"kind": "step", **place, **figures})

    def epoch_done(self, engine: Engine) -> None:
        """Write the epoch's entry in the record."""
        self._append({"kind": "epoch", **engine.record.history[-1]})

    def test_done(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Write each target's figures."""
        history = engine.record.history
        epoch = history[-1]["epoch"] if history else engine.plan.start_epoch
        if (epoch, *results) == self._tested:
            return  # the last test of a training that was stopped repeats that of its last epoch
        self._tested = (epoch, *results)
        for target, result in results.items():
            figures = result.ranking.summary(engine.plan.ranks) | result.ranking.further()
            self._append({"kind": "test", "epoch": epoch, "target": target, **figures})

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _drop(self, is_unwanted: Callable[[Line], bool]) -> None:
        """Take lines out of the file, and what is no line since its writer was killed."""
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.is_file() else []
        kept = [line for line in lines if _is_whole(line) and not is_unwanted(json.loads(line))]
        if len(kept) < len(lines):
            with atomic_write(self.path) as file:
                file.writelines(kept)


def _is_whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
