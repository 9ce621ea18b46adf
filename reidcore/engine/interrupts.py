"""Signals to stop that wait for a safe place."""

from __future__ import annotations

import logging
import os
import signal
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.agreement import Ballot

_log = logging.getLogger(__name__)

T = TypeVar("T")

_STOPS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

# ``timeout`` signals a program and then its group, and a terminal that closes does so by the shell
# and by the kernel: what comes at once is one wish. Ctrl-C comes from somebody's finger.
_ONE_WISH_S = 1.0


class Interrupted(KeyboardInterrupt):
    """Somebody asked to stop, and the run has reached a place where nothing is half done.

    Its argument is the signal that asked.
    """


class Interruption:
    """Remembers that somebody asked to stop."""

    def __init__(self) -> None:
        self._asked: signal.Signals | None = None
        self._ballot = Ballot()
        self._asked_at = 0.0

    def ask(self, by: signal.Signals = signal.SIGINT) -> None:
        """Ask the run to stop at the next safe place.

        Args:
            by: the signal that asks, whose number and 128 make the exit code.
        """
        self._asked, self._asked_at = by, time.monotonic()

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked this process to stop."""
        return self._asked is not None

    def check(self, *, waits: bool = True) -> None:
        """Stop here if somebody asked to.

        Of several processes all call this at the same places, and all stop where one was asked.

        Args:
            waits: hear the others of now; otherwise of their last call, which costs no time.

        Raises:
            Interrupted: if so.
        """
        if by := self._ballot.largest(int(self._asked or 0), waits=waits):
            self._asked = None
            raise Interrupted(signal.Signals(by))

    def stoppable(self, batches: Iterable[T]) -> Iterator[T]:
        """Yield a loader's batches; where it fails after somebody asked to stop, that is why.

        Who ends a whole group of processes (``timeout``, ``systemd``) ends the loader's workers.

        Raises:
            Interrupted: if the loader failed and somebody had asked.
        """
        try:
            yield from batches
        except Exception:
            if self._asked is None:
                raise
            by, self._asked = self._asked, None
            # Other processes of the run have not agreed to stop here.
            raise (Interrupted if rank_and_world()[1] == 1 else KeyboardInterrupt)(by)  # noqa: B904

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first SIGINT (Ctrl-C), SIGTERM or SIGHUP ask and the second one stop at once.

        A signal that the program handles itself, or ignores (SIGHUP under ``nohup``), is left to
        it. Signals reach the main thread alone; elsewhere nothing changes.
        """
        self._asked = None
        self._ballot.forget()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {signum: signal.getsignal(signum) for signum in _STOPS}
        ours = [signum for signum, handler in former.items() if _is_free(handler)]
        for signum in ours:
            signal.signal(signum, self._on_signal)
        try:
            yield
        finally:
            for signum in ours:
                signal.signal(signum, former[signum])

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        by = signal.Signals(signum)
        if by.name == "SIGHUP":
            _leave_closed_terminal()
        if self._asked is None:
            self.ask(by)
            again = "press Ctrl-C" if by is signal.SIGINT else f"send {by.name}"
            _log.info("Stopping after this batch; %s again to stop at once.", again)
        elif by is signal.SIGINT or time.monotonic() - self._asked_at > _ONE_WISH_S:
            raise KeyboardInterrupt(by)


def _is_free(handler: Any) -> bool:
    """Whether nobody but Python, or a run around this one, handles a signal."""
    if isinstance(getattr(handler, "__self__", None), Interruption):
        return True
    return handler in (signal.SIG_DFL, signal.default_int_handler)


def _leave_closed_terminal() -> None:
    """Let output go nowhere if its terminal is gone, where writing would be an error."""
    for output in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(output).st_mode) and not os.isatty(output):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, output)
                os.close(nowhere)
