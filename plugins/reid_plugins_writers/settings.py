"""Which writers a run has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def opened_writers(engine: Engine) -> Iterator[list[Writer]]:
    """Have the writers of a run open; a test has figures for the console alone.

    Each is closed at the end, whether another could not be opened or closed.
    """
    from reid_plugins_writers.console import LiveConsole
    from reid_plugins_writers.jsonl import JsonLines
    from reid_plugins_writers.tensorboard import TensorBoard

    settings = settings_of(engine)
    with ExitStack() as exits:
        writers: list[Writer] = []

        def add(writer: Writer) -> None:
            exits.callback(writer.close, engine)
            writers.append(writer)

        if settings.console and sys.stdout.isatty():
            add(LiveConsole(engine))
        if settings.tensorboard and not engine.plan.test_only:
            add(TensorBoard(engine))
        if settings.jsonl and not engine.plan.test_only:
            add(JsonLines(engine))
        yield writers
