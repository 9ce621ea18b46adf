"""Standard output and error, wherever they lead: into a closed pipe, to a full disk, nowhere.

What a command prints is its result, and its loss an error. What a run tells on its way is not: the
run goes on, and its log has the rest.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, TypeVar

from reidcore.errors import UserError

_log = logging.getLogger(f"reidcore.{__name__}")

Given = TypeVar("Given")


class LostOutputError(UserError):
    """What a command printed did not arrive.

    Args:
        error: why.
    """

    def __init__(self, error: OSError | ValueError) -> None:
        self.is_broken_pipe = getattr(error, "errno", None) == errno.EPIPE
        super().__init__(f"standard output cannot be written: {_reason(error)}")


class StandardStream:
    """Standard output or error, where a failure is not the failure of whoever writes.

    Args:
        stream: what it writes to; its other attributes are those of this.
        name: how it is named.
        is_needed: whether a loss is an error, or told once.
    """

    def __init__(self, stream: TextIO, name: str, is_needed: bool) -> None:
        self._stream = stream
        self._name = name
        self._error: OSError | ValueError | None = None
        self.is_needed = is_needed

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # copies ask for attributes before there is one
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text.

        Raises:
            LostOutputError: it is lost, and needed.
        """
        if self._error is not None and self.is_needed:
            raise LostOutputError(self._error)
        return self._try(lambda: self._stream.write(text), len(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, one after another; see `write`."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Make sure that what was written has arrived.

        Raises:
            LostOutputError: it is lost, and needed.
        """
        self._try(self._stream.flush, None)

    def close(self) -> None:
        """Leave the stream open: it is the process's, and not that of a logger which ends."""
        self.flush()

    def _try(self, action: Callable[[], Given], otherwise: Given) -> Given:
        if self._error is not None:
            return otherwise
        try:
            return action()
        except (OSError, ValueError) as error:  # ValueError: somebody closed it
            self._error = error
            _lead_nowhere(self._stream)
            if self.is_needed:
                raise LostOutputError(error) from error
            told = f"{self._name} cannot be written ({_reason(error)}): what is told there is lost"
            _log.warning("%s, and the work goes on", told)
            if self._stream is not sys.stderr and sys.stderr is not None:
                sys.stderr.write(f"{told}, and the work goes on\n")
            return otherwise


@contextmanager
def standard_streams() -> Iterator[None]:
    """Have standard output and error that fail as `StandardStream` does."""
    _occupy_closed()
    kept = sys.stdout, sys.stderr
    sys.stdout = StandardStream(sys.stdout, "Standard output", is_needed=True)
    sys.stderr = StandardStream(sys.stderr, "Standard error", is_needed=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


@contextmanager
def output_not_needed() -> Iterator[None]:
    """Let work go on where standard output, on which it tells how it goes, is lost."""
    stream = sys.stdout
    if not isinstance(stream, StandardStream):
        yield
        return
    stream.is_needed = False
    try:
        yield
    finally:
        stream.flush()
        stream.is_needed = True


def _occupy_closed() -> None:
    """Keep files from taking the place of closed standard streams, and what is printed with it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
    # Output that was closed fails when it is written, as the system's own tools do.
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _lead_nowhere(stream: TextIO) -> None:
    """Let what a stream still holds, and whatever else is printed, be lost without an error."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
