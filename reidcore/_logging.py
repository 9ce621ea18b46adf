"""The ``reidcore`` logger: silent under a program that logs, plain text for a bare script."""

from __future__ import annotations

import codecs
import copy
import logging
import os
import sys

from reidcore.errors import UserError, printable

LOGGER_NAME = "reidcore"
LOOKALIKES = "reidcore.lookalikes"
"""Name of the rule for characters that an encoding lacks."""

_ASCII = {"─": "-", "━": "=", "╌": "-", "│": "|", "…": "...", "·": "-"}


def _lookalike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    escaped = (each.encode("ascii", "backslashreplace").decode() for each in lost)
    shown = (_ASCII.get(each, other) for each, other in zip(lost, escaped, strict=True))
    return "".join(shown), error.end


codecs.register_error(LOOKALIKES, _lookalike)


def fit_encodings() -> None:
    """Let standard output and error take every character: as an ASCII look-alike, or escaped."""
    for stream in (sys.stdout, sys.stderr):
        is_lax = getattr(stream, "errors", None) not in ("strict", "backslashreplace")
        if not is_lax and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=LOOKALIKES)


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

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, if there is a standard output at all."""
        if sys.stdout is not None:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Keep a lost standard output to itself: the caller's work is not at fault."""
        if not isinstance(sys.exception(), OSError | UserError):
            super().handleError(record)


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


def has_other_processes() -> bool:
    """Say whether a launcher such as torchrun started others beside this process."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def process_number() -> int:
    """Return this process's number among those that a launcher started."""
    rank = os.environ.get("RANK", "")
    return int(rank) if has_other_processes() and rank.isdecimal() else 0


def configure_if_bare() -> None:
    """Show INFO on standard output if the program has configured no logging of its own.

    A plain script then shows what its author expects to see; a program that owns its logging
    is left alone. Handlers with ``shows = False``, which record a run, are no logging of its own.
    Of several processes that are one run the others than the first show warnings, and their number.
    """
    logger, root = logging.getLogger(LOGGER_NAME), logging.getLogger()
    heard = [*logger.handlers, *(root.handlers if logger.propagate else ())]
    if any(getattr(each, "shows", True) for each in heard):
        return
    fit_encodings()
    handler = _StandardOutput()
    rank = process_number()
    handler.setFormatter(PlainText(f"[process {rank}] %(message)s" if rank else None))
    # The level of what the terminal shows; other handlers get all.
    handler.setLevel(max(_shown_level, logging.WARNING) if rank else _shown_level)
    logger.addHandler(handler)
    logger.setLevel(min(_shown_level, logging.INFO))
    logger.propagate = False


def show(text: str) -> None:
    """Write to standard output what a function exists to show, whatever the program's logging."""
    if sys.stdout is not None:
        sys.stdout.write(f"{printable(text)}\n")
