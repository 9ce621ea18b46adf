"""The ``reidcore`` logger: silent under a program that logs, plain text for a bare script."""

from __future__ import annotations

import copy
import logging
import os
import sys

from reidcore.errors import printable

LOGGER_NAME = "reidcore"

RESULT = 25
"""The level of what a command was called for, such as the table of a test: shown by ``-q`` too."""
logging.addLevelName(RESULT, "RESULT")


class _StandardOutput(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to whatever ``sys.stdout`` is at the moment of writing."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> object:
        """The current standard output."""
        return sys.stdout


class PlainText(logging.Formatter):
    """The message alone, with nothing in it that steers a terminal.

    What the code wrote may have lines; names that are put into it stay in theirs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's message, see `printable`."""
        if isinstance(record.args, tuple) and record.msg != "%s":
            record = copy.copy(record)
            record.args = tuple(map(_in_one_line, record.args or ()))
        return printable(super().format(record))


def _in_one_line(value: object) -> object:
    return printable(value, one_line=True) if isinstance(value, str | os.PathLike) else value


def clean_last_resort() -> None:
    """Let warnings that no handler takes, which Python writes to standard error, be plain text."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(PlainText())


_shown_level = logging.INFO


def show_from(level: int) -> None:
    """Choose what `configure_if_bare` shows: DEBUG and above, or INFO, or RESULT."""
    global _shown_level
    _shown_level = level


def is_quiet() -> bool:
    """Say whether no more than results and warnings is to be shown."""
    return _shown_level > logging.INFO


def configure_if_bare() -> None:
    """Show INFO on standard output if the program has configured no logging of its own.

    A plain script then shows what its author expects to see; a program that owns its logging
    is left alone.
    """
    logger = logging.getLogger(LOGGER_NAME)
    if logger.hasHandlers():
        return
    handler = _StandardOutput()
    handler.setFormatter(PlainText())
    handler.setLevel(_shown_level)  # of what the terminal shows; other handlers get all
    logger.addHandler(handler)
    logger.setLevel(min(_shown_level, logging.INFO))
    logger.propagate = False


def show(text: str) -> None:
    """Write to standard output what a function exists to show, whatever the program's logging."""
    sys.stdout.write(f"{printable(text)}\n")
