"""Ctrl-C that waits for a safe place."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_log = logging.getLogger(__name__)


class Interrupted(KeyboardInterrupt):
    """The user asked to stop, and the run has reached a place where nothing is half done."""


class Interruption:
    """Remembers that the user asked to stop."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self) -> None:
        """Ask the run to stop at the next safe place."""
        self._asked = True

    def check(self) -> None:
        """Stop here if the user asked to.

        Raises:
            Interrupted: if so.
        """
        if self._asked:
            self._asked = False
            raise Interrupted

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first Ctrl-C ask and the second one stop at once.

        Signals reach the main thread alone; elsewhere nothing changes.
        """
        self._asked = False
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.getsignal(signal.SIGINT)

        def on_signal(signum: int, frame: FrameType | None) -> None:
            if self._asked:
                raise KeyboardInterrupt
            self.ask()
            _log.info("Stopping after this batch; press Ctrl-C again to stop at once.")

        signal.signal(signal.SIGINT, on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)
