"""The cache on disk: a file for each list of images and size, mapped into memory.

A new file is a hole: entries take space when they are written. Whoever has one open holds a shared
lock on it; one that nobody holds may be deleted to make room for another.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from reidcore.data.images.store import PixelStore, Words, words_of

if sys.platform != "win32":
    import fcntl

SUFFIX = ".pixels"

_BINARY = getattr(os, "O_BINARY", 0)


class DiskStore(PixelStore):
    """Images in a file.

    Args:
        path: The file, which is made if it is missing, and made longer if it is too short.
        count: Number of images there is room for.
        height: Of the images, pixels.
        width: Of the images, pixels.

    Raises:
        OSError: The file cannot be made or opened.
    """

    def __init__(self, path: Path, count: int, height: int, width: int) -> None:
        self.path = path
        self._shape = count, words_of(height, width)
        self._has_failed = False
        super().__init__(self._open(), height, width)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key not in ("table", "_file")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.table = self._open()

    def _open(self) -> Words:
        count, words = self._shape
        while True:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
            _hold(self._file)
            if _is_at(self._file, self.path):
                break
            os.close(self._file)  # somebody deleted it just before it was held
        weakref.finalize(self, os.close, self._file)
        size = count * words * 8
        if os.fstat(self._file).st_size < size:
            os.truncate(self._file, size)
        os.utime(self.path)
        # Read only: where a disk is full, writing to mapped memory would kill the process.
        mapped = mmap.mmap(self._file, size, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, dtype=np.uint64).reshape(count, words)

    def _put(self, number: int, entry: Words) -> None:
        if self._has_failed:
            return
        try:
            _write_at(self._file, entry.tobytes(), number * entry.nbytes)
        except OSError as error:
            self._has_failed = True
            self._tell(
                f"The image cache {self.path} cannot be written ({error.strerror}): images that "
                "are not in it are read from their files"
            )


def remove_unused(path: Path) -> bool:
    """Delete a store that no process has open; say whether it is gone."""
    try:
        with path.open("r+b") as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        if sys.platform == "win32":
            path.unlink()  # refused for files that are open
    except OSError:
        return not path.exists()
    return True


def _hold(file: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(file, fcntl.LOCK_SH)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _write_at(file: int, data: bytes, offset: int) -> None:
    if sys.platform == "win32":  # no process there shares the file's position with another
        os.lseek(file, offset, os.SEEK_SET)
        os.write(file, data)
        return
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
