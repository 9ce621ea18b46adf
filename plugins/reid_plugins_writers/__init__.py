"""Where a run's figures go: a live line on a terminal, TensorBoard, a file of JSON lines.

The core logs the end of each epoch and the table of results by itself. ``settings.writers`` turns
each writer off.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_writers.writer import Writer
    from reidcore.engine import Engine, TargetResult
    from reidcore.registry import ConfigRegistrar


class Writers:
    """The plugin: each engine's run has writers of its own."""

    def __init__(self) -> None:
        # By the engine's id: entries live from a run's start to its end.
        self._open: dict[int, list[Writer]] = {}
        self._exits: dict[int, ExitStack] = {}

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Have ``settings.writers`` checked."""
        registry.settings("reid_plugins_writers.settings:WritersSettings")

    @hookimpl(tryfirst=True)
    def reid_run_start(self, engine: Engine) -> None:
        """Open the writers, before other plugins ask for ``engine.writer``.

        Of several processes the main one alone has writers: the others would write the same files.
        """
        from reid_plugins_writers.settings import opened_writers

        if engine.is_main_process:
            exits = ExitStack()
            self._open[id(engine)] = exits.enter_context(opened_writers(engine))
            self._exits[id(engine)] = exits

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        """Tell the writers of a step."""
        for writer in self._open.get(id(engine), ()):
            writer.step_done(engine)

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Tell the writers of an epoch."""
        for writer in self._open.get(id(engine), ()):
            writer.epoch_done(engine)

    @hookimpl(wrapper=True)
    def reid_evaluate(self, engine: Engine) -> Generator[None, Any, Any]:
        """Show how far the test is, also of one that is no part of a run."""
        from reid_plugins_writers.console import console_for_test

        needs_none = id(engine) in self._open or not engine.is_main_process
        with nullcontext() if needs_none else console_for_test(engine):
            return (yield)

    @hookimpl
    def reid_report(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Tell the writers of a test."""
        for writer in self._open.get(id(engine), ()):
            writer.test_done(engine, results)

    @hookimpl(trylast=True)
    def reid_run_end(self, engine: Engine) -> None:
        """Close the writers, after other plugins have used ``engine.writer``."""
        self._open.pop(id(engine), None)
        self._exits.pop(id(engine), ExitStack()).close()


PLUGIN = Writers()
