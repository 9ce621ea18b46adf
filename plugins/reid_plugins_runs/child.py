"""``reidcore`` in a process of its own, which what stops this one stops as well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from reidcore.cli import command_line

__all__ = ["global_options", "is_step", "run_reidcore"]

_STEP = "REIDCORE_STEP"

_STOPS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def global_options(command: str) -> list[str]:
    """Return the options before a command on this process's command line, for those it starts.

    Args:
        command: its first word, such as ``runs``.
    """
    words = command_line()
    return words[: words.index(command)] if command in words else []


def is_step() -> bool:
    """Say whether a command of reidcore started this one, and knows what comes after it."""
    return _STEP in os.environ


def run_reidcore(words: Sequence[str], stdout: int | None = None, stderr: int | None = None) -> int:
    """Run ``reidcore`` with these words and return its exit code.

    Ctrl-C, SIGTERM and SIGHUP reach it too, so that a run leaves its checkpoint.

    Args:
        words: those of the command line, without the program's name.
        stdout: the file descriptor of its standard output; None for this process's.
        stderr: the file descriptor of its standard error; None for this process's.

    Raises:
        KeyboardInterrupt: if somebody asked to stop, once it has ended.
    """
    # Like a program that was not started by python -m, it imports nothing from this folder.
    safe = [] if {"", os.getcwd()} & {*sys.path} else ["-P"]  # noqa: PTH109
    process: subprocess.Popen[bytes] | None = None
    asked: list[signal.Signals] = []
    early: list[int] = []  # before there was a process to hand them to

    def hand_on(number: int, frame: FrameType | None) -> None:
        asked.append(signal.Signals(number))
        if process is None:
            early.append(number)
        # A terminal sends Ctrl-C to both, and twice would be to stop at once.
        elif number != signal.SIGINT or not _has_terminal():
            process.send_signal(number)

    sys.stdout.flush()
    with _stops_handled_by(hand_on):
        command = [sys.executable, *safe, "-m", "reidcore", *words]
        process = subprocess.Popen(
            command, stdout=stdout, stderr=stderr, env={**os.environ, _STEP: "1"}
        )
        for number in early:
            process.send_signal(number)
        code = process.wait()
    if asked:
        raise KeyboardInterrupt(asked[0])
    return code


@contextmanager
def _stops_handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have signals to stop handled; those that are ignored, as SIGHUP under ``nohup``, stay so."""
    before = {stop: signal.getsignal(stop) for stop in _STOPS}
    taken = [stop for stop, former in before.items() if former is not signal.SIG_IGN]
    for stop in taken:
        signal.signal(stop, handler)
    try:
        yield
    finally:
        for stop in taken:
            signal.signal(stop, before[stop])


def _has_terminal() -> bool:
    """Say whether the keys of a terminal send their signals to this process and its children."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (OSError, AttributeError):  # standard input is no terminal; Windows
        return sys.platform == "win32"
