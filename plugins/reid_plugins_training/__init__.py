"""What watches over a training run and says when something goes wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_training.busy_machine import EpochClock
    from reidcore.engine import Engine


class Alarms:
    """The plugin: each engine's run has alarms of its own."""

    def __init__(self) -> None:
        # By the engine's id: entries live from a run's start to its end.
        self._clocks: dict[int, EpochClock] = {}

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Begin to watch a run on the CPU; a GPU does not wait for threads of torch."""
        from reid_plugins_training.busy_machine import EpochClock

        if engine.device.type == "cpu" and engine.is_main_process:
            self._clocks[id(engine)] = EpochClock()

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Start the epoch's clock."""
        if clock := self._clocks.get(id(engine)):
            clock.start()

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Compare the epoch with the fastest so far."""
        if clock := self._clocks.get(id(engine)):
            clock.stop(engine.epoch + 1)

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Forget the run."""
        self._clocks.pop(id(engine), None)


PLUGIN = Alarms()
