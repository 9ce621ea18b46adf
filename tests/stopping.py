"""A run's end before its time."""

from __future__ import annotations

from reidcore import hookimpl
from reidcore.engine import Engine


class StopAfter:
    """Asks for the run's end after some batches, as Ctrl-C does."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.left -= 1
        if not self.left:
            engine.interruption.ask()
