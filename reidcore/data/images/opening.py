"""Image files opened without ever waiting for them."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from reidcore.data.images.reading import UnreadableImageError

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)


def open_file(path: str) -> BinaryIO:
    """Open a regular file, unbuffered; a pipe, a socket or a device is refused.

    Opening a pipe that nobody writes to would wait for ever, and a device may have no end.

    Raises:
        UnreadableImageError: It is missing, no regular file, or may not be read.
    """
    try:
        file = open(path, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115  (quicker)
    except (OSError, ValueError) as error:  # ValueError: a zero byte, or what no encoding has
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableImageError(path, reason) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableImageError(path, "a pipe, a socket or a device, not a file")
    return file


def read_file(path: str) -> bytes:
    """Return what a regular file holds; errors as of `open_file`."""
    with open_file(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise UnreadableImageError(path, error.strerror or str(error)) from error


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | _AT_ONCE)
