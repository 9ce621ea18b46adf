"""Worker processes of a loader: the signals that they heed, and what is said when they fail."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reidcore.data.images.decode import prepare_worker
from reidcore.errors import DataError

_READ_HERE = "Set data.workers=0, which reads images in the main process"
_MORE_SHARED_MEMORY = (
    f"{_READ_HERE}, or give /dev/shm more room (docker run --shm-size=8g, or --ipc=host)"
)
_LESS_MEMORY = f"Most often memory ran out: set fewer data.workers or a smaller batch. {_READ_HERE}"
_MORE_FILES = f"Raise the limit (ulimit -n 65536), or set fewer data.workers. {_READ_HERE}"

# The module of torch whose handler raises wherever the main thread is when a worker dies.
_TORCHS_HANDLER = "torch.utils.data._utils.signal_handling"


class NoWorkerError(DataError):
    """No worker process can start."""


def start_worker(worker: int) -> None:
    """Leave Ctrl-C and a closed terminal to the main process, and the CPUs to all.

    SIGTERM ends a worker, as torch ends those that hang: a fork has the main process's handler.
    """
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if callable(signal.getsignal(signal.SIGTERM)):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prepare_worker()


@contextmanager
def failures_explained(workers: Any) -> Iterator[None]:
    """Raise an error of the user's where worker processes cannot start, work or go on.

    Args:
        workers: torch's iterator over the batches, or None if it is to be made.

    Raises:
        DataError: So that the user can tell what to change.
    """
    try:
        yield
        _raise_deaths_with_the_next_batch()
    except (RuntimeError, OSError, EOFError) as error:
        explained = _explanation(error, getattr(workers, "_workers", ()))
        if explained is None:
            raise
        raise explained from error


@contextmanager
def shared_memory_explained() -> Iterator[None]:
    """Raise an error of the user's where a worker finds no room for what it sends.

    Raises:
        DataError: So that the user can tell what to change.
    """
    try:
        yield
    except RuntimeError as error:
        if "shared memory" not in str(error):
            raise
        raise DataError("shared memory has no room for a batch", _MORE_SHARED_MEMORY) from error


def _explanation(error: Exception, workers: Any) -> DataError | None:
    codes = [worker.exitcode for worker in workers if worker.exitcode]
    if codes or "exited unexpectedly" in str(error):
        return _of_death(codes[0] if codes else 0)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return NoWorkerError("shared memory is full: no worker can start", _MORE_SHARED_MEMORY)
    if getattr(error, "errno", None) == errno.EMFILE or "Too many open files" in str(error):
        return DataError("worker processes have too many files open", _MORE_FILES)
    if isinstance(error, OSError) and error.errno in (errno.EAGAIN, errno.ENOMEM):
        return DataError(f"no worker process can start: {error.strerror}", _LESS_MEMORY)
    return None


def _of_death(code: int) -> DataError:
    if code >= 0:
        what = f"a worker process that reads images ended (exit code {code})"
        return DataError(what, f"{_READ_HERE} and shows why")
    name = signal.Signals(-code).name
    hint = {"SIGKILL": _LESS_MEMORY, "SIGBUS": _MORE_SHARED_MEMORY}.get(name, _READ_HERE)
    return DataError(f"a worker process that reads images was killed ({name})", hint)


def _raise_deaths_with_the_next_batch() -> None:
    """Take from torch's handler of SIGCHLD that it raises anywhere, in the midst of a step too.

    Whoever waits for a batch of a dead worker is told within seconds all the same.
    """
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        return
    handler: Any = signal.getsignal(signal.SIGCHLD)
    if getattr(handler, "__module__", "") != _TORCHS_HANDLER:
        return

    def on_death(signum: int, frame: FrameType | None) -> None:
        try:
            handler(signum, frame)
        except RuntimeError:
            return

    signal.signal(signal.SIGCHLD, on_death)
