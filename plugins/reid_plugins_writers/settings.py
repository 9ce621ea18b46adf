"""Which writers a run has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from reid_plugins_writers.writer import Writer
    from reidcore.engine import Engine


class WritersSettings(BaseModel, extra="forbid"):
    """``settings.writers``.

    Attributes:
        console: draw a live line on a terminal.
        tensorboard: write event files into ``data.save_dir``.
        jsonl: write ``metrics.jsonl`` into ``data.save_dir``.
    """

    console: bool = True
    tensorboard: bool = True
    jsonl: bool = True


def settings_of(engine: Engine) -> WritersSettings:
    """Return a run's settings; an engine built by hand has the defaults."""
    given = ((engine.config or {}).get("settings") or {}).get("writers") or {}
    return WritersSettings.model_validate(given)


def open_writers(engine: Engine) -> list[Writer]:
    """Open the writers of a run; a test has figures for the console alone."""
    from reid_plugins_writers.console import LiveConsole
    from reid_plugins_writers.jsonl import JsonLines
    from reid_plugins_writers.tensorboard import TensorBoard

    settings = settings_of(engine)
    writers: list[Writer] = []
    if settings.console and sys.stdout.isatty():
        writers.append(LiveConsole(engine))
    if settings.tensorboard and not engine.plan.test_only:
        writers.append(TensorBoard(engine))
    if settings.jsonl and not engine.plan.test_only:
        writers.append(JsonLines(engine.plan.save_dir))
    return writers
