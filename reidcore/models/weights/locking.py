"""One process at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reidcore.errors import UserError

try:
    import fcntl
except ImportError:  # there are no such locks on Windows
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, whatever ends it; wait for another's first.

    Raises:
        UserError: if the lock's file cannot be written.
    """
    try:
        handle = file.open("ab")
    except OSError as error:
        raise UserError(
            f"cannot write {str(file)!r}: {error.strerror}", "Choose a folder you may write to."
        ) from error
    with handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("Waiting for another process that downloads %s", file.stem.lstrip("."))
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
