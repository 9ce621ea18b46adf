"""The log of a run, in its folder: all that is told, with times, since the configuration was read.

Records of level INFO and above, warnings of Python's, and the traceback of a failure. They are kept
in memory until the run has a folder.
"""

from __future__ import annotations

import logging
import os
import platform
import shlex
import sys
import warnings
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reid_plugins_writers.writer import Writer
from reidcore import __version__
from reidcore.errors import printable

if TYPE_CHECKING:
    from reidcore.engine import Engine

TRAIN_LOG, TEST_LOG = "train.log", "test.log"

TIME = "%Y-%m-%d %H:%M:%S"
MOST_KEPT = 10_000  # lines before the run has a folder

_log = logging.getLogger(f"reidcore.{__name__}")


class RunLog(logging.Handler):
    """Takes in what is told from now on: into memory, and into a file once there is one.

    The program's own logging is as it would be without. What other loggers tell is heard beside
    handlers that it has, or where Python shows what no handler takes: the root logger would pass
    for configured if this were its only handler.
    """

    shows = False  # which the core asks of handlers: it shows what it tells if none does

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", TIME))
        self._kept: deque[bytes] = deque(maxlen=MOST_KEPT)
        self._file: IO[bytes] | None = None
        self._has_failed = False
        self._last_resort, self._others = logging.lastResort, _OfOthers(self)
        logging.getLogger("reidcore").addHandler(self)
        logging.lastResort = self._others
        self._show_warning, warnings.showwarning = warnings.showwarning, self._take_warning
        self._join_handlers()

    def _join_handlers(self) -> None:
        """Stand beside the program's handlers, once it has some."""
        root = logging.getLogger()
        if root.handlers and self._others not in root.handlers:
            root.addHandler(self._others)

    def take_of_others(self, record: logging.LogRecord) -> None:
        """Write a record of another logger; show it as Python would if nobody else listened."""
        shown = self._last_resort
        is_alone = self._others not in logging.getLogger().handlers
        if is_alone and shown is not None and record.levelno >= shown.level:
            shown.handle(record)
        self.handle(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or keep it."""
        self._join_handlers()
        try:
            # Lines that are indented go on with the record above, whatever a name pretends.
            text = printable(self.format(record)).replace("\n", "\n  ") + "\n"
        except Exception:
            self.handleError(record)
            return
        line = text.encode("utf-8", "backslashreplace")
        if self._file is None:
            self._kept.append(line)
        else:
            self._write(line)

    def open(self, path: Path) -> None:
        """Append to a file what was kept, and from now on all that is told."""
        self._file = path.open("ab", buffering=0)
        while self._kept:
            self._write(self._kept.popleft())

    def close(self) -> None:
        """Take in nothing any more."""
        logging.getLogger("reidcore").removeHandler(self)
        logging.getLogger().removeHandler(self._others)
        if logging.lastResort is self._others:
            logging.lastResort = self._last_resort
        if warnings.showwarning == self._take_warning:
            warnings.showwarning = self._show_warning
        if self._file is not None:
            self._file.close()
            self._file = None
        super().close()

    def tell(self, level: int, text: str, error: BaseException | None = None) -> None:
        """Write what is for the file alone."""
        trace = None if error is None else (type(error), error, error.__traceback__)
        self.handle(logging.LogRecord("reidcore", level, __file__, 0, text, None, trace))

    def _write(self, line: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(line)
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                told = "The log %s cannot be written (%s): the run goes on without"
                _log.warning(told, self._file.name, error.strerror)

    def _take_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        *more: Any,
        **further: Any,
    ) -> None:
        self.tell(logging.WARNING, f"{category.__name__}: {message} ({filename}:{lineno})")
        self._show_warning(message, category, filename, lineno, *more, **further)


class _OfOthers(logging.Handler):
    """Hands on what other loggers than the core's tell."""

    shows = False

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] != "reidcore":  # that comes to the log by itself
            self._log.take_of_others(record)


class LogFile(Writer):
    """Appends to ``train.log``, or to ``test.log`` in a run that only tests.

    Args:
        engine: of a run that starts.
        log: what was told before it.
    """

    def __init__(self, engine: Engine, log: RunLog) -> None:
        name = TEST_LOG if engine.plan.test_only else TRAIN_LOG
        self._log = log
        log.open(Path(engine.plan.save_dir) / name)
        where = f"reidcore {__version__} on {platform.node()}, process {os.getpid()}"
        log.tell(logging.INFO, f"{where}: {shlex.join(sys.argv)}")

    def failed(self, engine: Engine, error: BaseException) -> None:
        """Write the traceback of what ended the run."""
        self._log.tell(logging.ERROR, "The run did not finish", error)
