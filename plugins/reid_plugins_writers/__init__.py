"""What a run writes: a live line on a terminal, its log and configuration, its figures.

The core logs the end of each epoch and the table of results by itself. ``settings.writers`` turns
each writer off.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl
from reidcore.plugins import current_plugins

if TYPE_CHECKING:
    from reid_plugins_writers.log_file import RunLog
    from reid_plugins_writers.run_writers import RunWriters
    from reidcore.config import Config
    from reidcore.engine import Engine, TargetResult
    from reidcore.registry import ConfigRegistrar


class Writers:
    """The plugin: each engine's run has writers of its own."""

    def __init__(self) -> None:
        # By the engine's id: entries live from a run's start to its end.
        self._open: dict[int, RunWriters] = {}
        # From a configuration's reading to the start of the run that it is for.
        self._config: Config | None = None
        self._log: RunLog | None = None

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Have ``settings.writers`` checked."""
        registry.settings("reid_plugins_writers.settings:WritersSettings")

    @hookimpl
    def reid_configure(self, config: Config) -> None:
        """Take in what is told from now on: the run's folder is not made yet.

        That ends with the plugins' being current, whether there was a run or not.
        """
        from reid_plugins_writers.log_file import RunLog

        self._forget(self._log)
        self._config, self._log = config, RunLog()
        current_plugins().call_when_left(partial(self._forget, self._log))

    @hookimpl
    def reid_run_files(self) -> list[str]:
        """Name what the writers write, of tests too."""
        texts = ["train.log", "test.log", "resolved_config.yaml", "resolved_test_config.yaml"]
        return [*texts, "metrics.jsonl", "events.out.tfevents.[0-9]*"]

    @hookimpl(tryfirst=True)
    def reid_run_start(self, engine: Engine) -> None:
        """Open the writers, before other plugins ask for ``engine.writer``.

        Of several processes the main one alone has writers: the others would write the same files.
        """
        from reid_plugins_writers.log_file import RunLog
        from reid_plugins_writers.run_writers import RunWriters

        config, log = self._config, self._log or RunLog()
        self._config = self._log = None
        if engine.is_main_process:
            self._open[id(engine)] = RunWriters(engine, log, config)
        else:
            log.close()

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        """Tell the writers of a step."""
        if writers := self._open.get(id(engine)):
            writers.tell(lambda writer: writer.step_done(engine))

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Tell the writers of an epoch."""
        if writers := self._open.get(id(engine)):
            writers.tell(lambda writer: writer.epoch_done(engine))

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
        if writers := self._open.get(id(engine)):
            writers.tell(lambda writer: writer.test_done(engine, results))

    def _forget(self, log: RunLog | None) -> None:
        """Close a log, and have no run take it over."""
        if log is not None:
            log.close()
        if log is self._log:
            self._log = None

    @hookimpl(trylast=True)
    def reid_run_end(self, engine: Engine, error: BaseException | None) -> None:
        """Close the writers, after other plugins have used ``engine.writer``."""
        if writers := self._open.pop(id(engine), None):
            if error is not None:
                writers.tell(lambda writer: writer.failed(engine, error))
            writers.close()


PLUGIN = Writers()
