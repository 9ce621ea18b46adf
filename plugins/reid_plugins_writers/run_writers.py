"""The writers of one run: opened, told of what happens, and closed; one that fails is left out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reid_plugins_writers.config_file import ConfigFile
from reid_plugins_writers.jsonl import JsonLines
from reid_plugins_writers.log_file import LogFile, RunLog
from reid_plugins_writers.settings import TensorBoardSettings, settings_of
from reid_plugins_writers.writer import Writer

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.engine import Engine

_log = logging.getLogger(f"reidcore.{__name__}")


class RunWriters:
    """What a run writes beside its checkpoints and results, as its settings say.

    A training is worth more than its figures: a writer that cannot be opened (no TensorBoard, a
    full disk), or fails later, is told of once, and the run goes on without it.

    Args:
        engine: of a run that starts.
        log: what was told before it; closed at the end.
        config: the last configuration that was read.
    """

    def __init__(self, engine: Engine, log: RunLog, config: Config | None) -> None:
        self._engine = engine
        self._log = log
        self._writers: list[Writer] = []
        for name, opened in self._wanted(config):
            try:
                self._writers.append(opened())
            except Exception as error:
                _log_failure(name, error)

    def tell(self, event: Callable[[Writer], None]) -> None:
        """Tell every writer of an event, such as ``lambda writer: writer.step_done(engine)``."""
        for writer in list(self._writers):
            try:
                event(writer)
            except OSError as error:
                self._writers.remove(writer)
                _log_failure(type(writer).__name__, error)
                self._close(writer)

    def close(self) -> None:
        """Close all, the log of the run last."""
        while self._writers:
            self._close(self._writers.pop())
        self._log.close()

    def _close(self, writer: Writer) -> None:
        try:
            writer.close(self._engine)
        except OSError as error:
            _log_failure(type(writer).__name__, error)

    def _wanted(self, config: Config | None) -> Iterator[tuple[str, Callable[[], Writer]]]:
        """Yield the name of each writer and what opens it; a test's figures go to the console."""
        engine, settings = self._engine, settings_of(self._engine)
        trains = not engine.plan.test_only
        if settings.log:
            yield "LogFile", lambda: LogFile(engine, self._log)
        if settings.config:
            yield "ConfigFile", lambda: ConfigFile(engine, config)
        if settings.console and sys.stdout is not None and sys.stdout.isatty():
            yield "LiveConsole", lambda: _live_console(engine)
        if settings.tensorboard.enabled and trains:
            yield "TensorBoard", lambda: _tensorboard(engine)
            if engine.writer is not None:  # it could be opened
                yield from _beside_scalars(engine, settings.tensorboard)
        if settings.jsonl and trains:
            yield "JsonLines", lambda: JsonLines(engine)


def _live_console(engine: Engine) -> Writer:
    from reid_plugins_writers.console import LiveConsole

    return LiveConsole(engine)


def _tensorboard(engine: Engine) -> Writer:
    from reid_plugins_writers.tensorboard import TensorBoard

    return TensorBoard(engine)


def _beside_scalars(
    engine: Engine, settings: TensorBoardSettings
) -> Iterator[tuple[str, Callable[[], Writer]]]:
    """Yield the writers that use the one of TensorBoard."""
    from reid_plugins_writers.hyper_parameters import HyperParameters
    from reid_plugins_writers.pictures import Pictures

    if settings.images:
        yield "Pictures", lambda: Pictures(engine, settings.image_epochs)
    if settings.hparams and engine.config is not None:
        yield "HyperParameters", lambda: HyperParameters(engine)


def _log_failure(name: str, error: Exception) -> None:
    reason = " ".join(str(error).split()) or type(error).__name__
    _log.warning("%s is left out, and the run goes on: %s", name, reason)
