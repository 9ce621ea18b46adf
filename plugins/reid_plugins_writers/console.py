"""A run on a terminal: one live line for what is under way, plain lines for what is done.

The lines and tables are the core's log records. While a run goes on they are printed by the console
that draws the live line, above it, so that neither erases the other.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reid_plugins_writers.live_line import LiveLine
from reid_plugins_writers.settings import settings_of
from reid_plugins_writers.writer import Writer
from reidcore.errors import printable

if TYPE_CHECKING:
    from reidcore.engine import Engine

LOGGERS = ("reidcore", "")


class LiveConsole(Writer):
    """Draws the live line, and takes over the log handlers that write to the terminal.

    Args:
        engine: whose loaders it follows in tests.
        console: where it draws; standard output by default.
        refreshes: redraw ten times a second, besides after each step.
    """

    def __init__(
        self, engine: Engine, console: Console | None = None, refreshes: bool = True
    ) -> None:
        self.console = console or Console()
        self._refreshes = refreshes
        self._live: Live | None = None
        self._line = LiveLine("")
        self._untracked = engine.progress
        self._exits = ExitStack()
        shown = self._exits.enter_context(_handlers_replaced(self.console))
        # Where only results are shown, what is under way is not.
        self._is_quiet = bool(shown) and all(each.level > logging.INFO for each in shown)
        engine.progress = self.track

    def step_done(self, engine: Engine) -> None:
        """Move the epoch's line; read the figures where they are due."""
        run = engine.active_run
        if run is None:
            return
        at, figures = run.position, self._line.figures
        if run.shows_figures:
            figures = "  ".join(f"{name} {value:.4g}" for name, value in run.figures().items())
        label = f"epoch {at.epoch}/{at.max_epoch}"
        self._show(LiveLine(label, at.batch, at.num_batches, str(at.eta), figures))

    def epoch_done(self, engine: Engine) -> None:
        """Take the line away; the core has logged the epoch."""
        self._hide()

    def track(self, loader: Iterable[Any], label: str) -> Iterator[Any]:
        """Yield a loader's batches under a line of their own."""
        total = len(loader) if isinstance(loader, Sized) else None
        label = printable(label, one_line=True)
        try:
            for done, batch in enumerate(loader):
                self._show(LiveLine(label, done, total))
                yield batch
        finally:
            self._hide()

    def close(self, engine: Engine) -> None:
        """Give the handlers back."""
        with self._exits:
            engine.progress = self._untracked
            self._hide()

    def _show(self, line: LiveLine) -> None:
        if self._is_quiet:
            return
        self._line = line
        if self._live is None:
            self._live = Live(
                get_renderable=self._fitted,
                console=self.console,
                auto_refresh=self._refreshes,
                refresh_per_second=10,
                transient=True,
            )
            self._live.start()
        if not self._refreshes:
            self._live.refresh()

    def _fitted(self) -> Text:
        # A line as wide as the terminal would make some terminals begin another.
        return self._line.fitted(self.console.width - 1)

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live, self._line = None, LiveLine("")


class ConsoleHandler(logging.Handler):
    """Prints log records through a console, tables as such.

    Args:
        console: where they go.
        replaced: the handler that would write them; its level, filters and format hold.
    """

    def __init__(self, console: Console, replaced: logging.Handler) -> None:
        super().__init__(replaced.level)
        self.console = console
        self.setFormatter(replaced.formatter)
        self.filters = list(replaced.filters)

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, unless the live line shows what it says."""
        if getattr(record, "is_progress", False):
            return
        try:
            shown = getattr(record, "renderable", None)
            if shown is None:
                shown = Text(printable(self.format(record)))
            self.console.print(shown, soft_wrap=isinstance(shown, Text))
        except Exception:
            self.handleError(record)


def console_for_test(engine: Engine) -> AbstractContextManager[None]:
    """Return a context that shows how far a test is, if there is a terminal to show it on."""
    if not (settings_of(engine).console and sys.stdout is not None and sys.stdout.isatty()):
        return nullcontext()
    return _opened(engine)


@contextmanager
def _opened(engine: Engine) -> Iterator[None]:
    console = LiveConsole(engine)
    try:
        yield
    finally:
        console.close(engine)


@contextmanager
def _handlers_replaced(console: Console) -> Iterator[list[ConsoleHandler]]:
    """Let a console print what the program's handlers would write to the terminal."""
    replaced = []
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if _writes_to_terminal(handler):
                ours = ConsoleHandler(console, handler)
                logger.removeHandler(handler)
                logger.addHandler(ours)
                replaced.append((logger, handler, ours))
    try:
        yield [ours for _, _, ours in replaced]
    finally:
        for logger, handler, ours in replaced:
            logger.removeHandler(ours)
            logger.addHandler(handler)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler):
        return False
    isatty = getattr(handler.stream, "isatty", None)
    return isatty is not None and bool(isatty())
