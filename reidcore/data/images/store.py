"""A table of images of one size, each with a mark of the file that it was made of.

Processes read and write it at the same time without waiting for one another: an entry whose
checksum does not fit, be it damaged or half written, counts as missing and is made anew.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.data.images.resize import Pixels

_log = logging.getLogger(__name__)

Words: TypeAlias = npt.NDArray[np.uint64]

MARKS = 3
"""Words before the pixels of an entry: the file's size and time, and the checksum."""


class FileMark(NamedTuple):
    """What tells that a file is the one it was.

    Attributes:
        size: Bytes.
        changed: Time of its last change, nanoseconds; modulo 2 ** 64, for files older than 1970.
    """

    size: int
    changed: int

    @classmethod
    def of(cls, path: str) -> FileMark | None:
        """Return a file's mark, or None if there is no such file."""
        try:
            found = os.stat(path)  # noqa: PTH116  (a Path for each image read would cost as much)
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns % (1 << 64))


class PixelStore:
    """Images of one size by their numbers.

    Args:
        table: (N, `words_of`) words, all 0 at first, shared by the processes.
        height: Of the images, pixels.
        width: Of the images, pixels.
    """

    def __init__(self, table: Words, height: int, width: int) -> None:
        self.table = table
        self.height = height
        self.width = width
        self._has_told = False

    def __len__(self) -> int:
        return len(self.table)

    def read(self, number: int, mark: FileMark) -> Pixels | None:
        """Return an image (height, width, 3), or None if it is missing, stale or damaged."""
        if number >= len(self.table):
            return None
        entry = self.table[number].copy()  # nobody writes to it between the check and the use
        if entry[0] != mark.size or entry[1] != mark.changed or not entry[2]:
            return None
        if entry[2] != _checksum(entry):
            self._tell("An entry of the image cache is damaged and made anew")
            return None
        size = self.height * self.width * 3
        pixels: Pixels = entry[MARKS:].view(np.uint8)[:size].reshape(self.height, self.width, 3)
        return pixels

    def write(self, number: int, mark: FileMark, pixels: Pixels) -> None:
        """Keep an image (height, width, 3), if there is room for that number."""
        if number >= len(self.table):
            return
        entry = np.zeros(self.table.shape[1], dtype=np.uint64)
        entry[0], entry[1] = mark
        entry[MARKS:].view(np.uint8)[: pixels.size] = pixels.reshape(-1)
        entry[2] = _checksum(entry)
        self._put(number, entry)

    def _put(self, number: int, entry: Words) -> None:
        self.table[number] = entry

    def _tell(self, what: str) -> None:
        """Warn once a process."""
        if not self._has_told:
            _log.warning("%s", what)
            self._has_told = True


def words_of(height: int, width: int) -> int:
    """Return how many words of 8 bytes an entry of that size takes."""
    return MARKS + -(-height * width * 3 // 8)


def _checksum(entry: Words) -> np.uint64:
    """Return a number above 0 that other marks or pixels would hardly have."""
    weights = _weights(len(entry))
    total = int(np.dot(entry[MARKS:], weights[MARKS:])) + int(np.dot(entry[:2], weights[:2]))
    return np.uint64(total & 0xFFFF_FFFF_FFFF_FFFF | 1)


@cache
def _weights(length: int) -> Words:
    return np.random.default_rng(0x5EED).integers(0, 1 << 64, length, dtype=np.uint64) | np.uint64(
        1
    )
