"""Decoded and resized images that are kept for the next time, as many as a bound allows.

A store is a table of images of one size, each with a mark of the file that it was made of. Worker
processes read and write it at the same time without waiting for one another: an entry whose
checksum does not fit, be it damaged or half written, counts as missing and is made anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import mmap
import os
import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import torch

from reidcore._files import is_at, user_cache
from reidcore.config.options.data import CacheKind
from reidcore.data.images.reading import TORCHREID, ImageReading
from reidcore.data.images.resize import Pixels
from reidcore.data.transforms.resize import SizeRule
from reidcore.errors import ConfigError, UserError, counted, did_you_mean, quoted

if sys.platform != "win32":
    import fcntl

_log = logging.getLogger(__name__)

CACHE_CHOICES: tuple[str, ...] = get_args(CacheKind)

Words: TypeAlias = npt.NDArray[np.uint64]

MARKS = 3
"""Words before the pixels of an entry: the file's size and time, and the checksum."""

VERSION = 1
"""Of the way images are decoded and resized; files of another one are not read."""

SUFFIX = ".pixels"

_BINARY = getattr(os, "O_BINARY", 0)


@dataclass
class PixelCache:
    """Makes stores, for one list of images after the other.

    Attributes:
        kind: ``off``, ``ram``, or ``disk``: in the user's cache folder, for later runs as well.
        gigabytes: Bound of what this data manager keeps in memory, or of all that is on disk.
        forked: Whether worker processes are forks.

    Raises:
        ConfigError: There is no such kind, or the bound is not above 0.
    """

    kind: str = "off"
    gigabytes: float = 8.0
    forked: bool = True
    _used: int = field(default=0, init=False)
    _made: dict[str, PixelStore] = field(default_factory=dict, init=False)
    _has_failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.kind not in CACHE_CHOICES:
            raise ConfigError(
                f"cache={quoted(self.kind)}",
                did_you_mean(self.kind, CACHE_CHOICES)
                or f"Set data.cache to {' or '.join(CACHE_CHOICES)}",
            )
        if not self.gigabytes > 0:
            raise ConfigError(
                f"cache_gb={quoted(self.gigabytes)}", "Set data.cache_gb to a number above 0"
            )

    def stores(
        self,
        paths: Sequence[str],
        rules: Sequence[SizeRule],
        draft: bool,
        reading: ImageReading = TORCHREID,
    ) -> Mapping[SizeRule, PixelStore]:
        """Return a store for each size; an image's number is its place in the list.

        Args:
            paths: The images' files.
            rules: The sizes.
            draft: Whether they are decoded as drafts.
            reading: What becomes of their orientation, transparency and depth.
        """
        if self.kind == "off" or self._has_failed:
            return {}
        found = {}
        for rule in dict.fromkeys(rules):
            name = _file_name(paths, rule, draft, reading)
            store = self._made.get(name) or self._store(name, len(paths), rule)
            if store is not None:
                found[rule] = self._made[name] = store
        return found

    def _store(self, name: str, wanted: int, rule: SizeRule) -> PixelStore | None:
        each = words_of(rule.height, rule.width) * 8
        if self.kind == "ram":
            count = min(wanted, (self._bound() - self._used) // each)
            self._used += count * each
            self._log_share(count, wanted, rule)
            return MemoryStore(count, rule.height, rule.width, self.forked) if count else None
        try:
            folder = user_cache("images")
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            count = min(wanted, _room_for(path, wanted * each, self._bound()) // each)
            store = DiskStore(path, count, rule.height, rule.width) if count else None
            self._log_share(count, wanted, rule)
            return store
        except (OSError, UserError) as error:
            self._has_failed = True
            _log.warning(
                "The image cache cannot be used (%s): images are read from their files. Set "
                "REIDCORE_HOME to a folder with space that can be written, or data.cache to ram",
                error,
            )
            return None

    def _bound(self) -> int:
        return int(self.gigabytes * 1e9)

    def _log_share(self, kept: int, count: int, rule: SizeRule) -> None:
        share = "" if kept == count else f" {kept} of"
        _log.info(
            "Image cache (%s):%s %s at %dx%d%s",
            self.kind,
            share,
            counted(count, "image"),
            rule.height,
            rule.width,
            "; raise data.cache_gb for more" if share else "",
        )


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
        except (OSError, ValueError):
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
        self._has_warned = False

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
            self._warn_once("An entry of the image cache is damaged and made anew")
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

    def _warn_once(self, what: str) -> None:
        """Warn once a process."""
        if not self._has_warned:
            _log.warning("%s", what)
            self._has_warned = True


class MemoryStore(PixelStore):
    """Images in memory that worker processes share; it lasts as long as the data manager.

    Args:
        count: Number of images there is room for.
        height: Of the images, pixels.
        width: Of the images, pixels.
        forked: Whether workers are forks of this process. Memory is then taken as it is filled.
    """

    def __init__(self, count: int, height: int, width: int, forked: bool) -> None:
        words = words_of(height, width)
        if forked:
            # Not limited by /dev/shm, which is small in containers.
            flat = np.frombuffer(mmap.mmap(-1, max(1, count * words) * 8), dtype=np.uint64)
            super().__init__(flat[: count * words].reshape(count, words), height, width)
            return
        self._shared = torch.zeros(count, words, dtype=torch.int64)
        self._shared.share_memory_()  # type: ignore[no-untyped-call]
        super().__init__(self._shared.numpy().view(np.uint64), height, width)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "table"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.table = self._shared.numpy().view(np.uint64)


class DiskStore(PixelStore):
    """Images in a file, mapped into memory.

    All of its space is reserved at once: a hole in a file that no space is left for kills who reads
    it. Whoever has one open holds a shared lock on it; one that nobody holds may be deleted to make
    room for another.

    Args:
        path: The file, which is made if it is missing, and made longer if it is too short.
        count: Number of images there is room for.
        height: Of the images, pixels.
        width: Of the images, pixels.

    Raises:
        OSError: The file cannot be made or opened, or there is no space for it.
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
        size = count * words * 8
        while True:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
            close = weakref.finalize(self, os.close, self._file)
            if _hold_alone(self._file):
                self._reserve(size)
            _hold(self._file)  # waits for whoever is reserving it
            if is_at(self._file, self.path):
                break
            close()  # somebody deleted it just before it was held
        self._reserve(size)
        os.utime(self.path)
        # Read only: where a disk is full, writing to mapped memory would kill the process.
        mapped = mmap.mmap(self._file, size, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, dtype=np.uint64).reshape(count, words)

    def _reserve(self, size: int) -> None:
        """Take the space beyond the file's end, which nobody writes to yet."""
        found = os.fstat(self._file).st_size
        try:
            if found < size:
                _take_space(self._file, found, size)
        except OSError:
            if not found:
                self.path.unlink(missing_ok=True)  # what was taken before the space ended
            raise

    def _put(self, number: int, entry: Words) -> None:
        if self._has_failed:
            return
        try:
            _write_at(self._file, entry.tobytes(), number * entry.nbytes)
        except OSError as error:
            self._has_failed = True
            self._warn_once(
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


def words_of(height: int, width: int) -> int:
    """Return how many words of 8 bytes an entry of that size takes."""
    return MARKS + -(-height * width * 3 // 8)


def _file_name(paths: Sequence[str], rule: SizeRule, draft: bool, reading: ImageReading) -> str:
    digest = hashlib.sha256(repr((VERSION, rule, draft, reading)).encode())
    here = str(Path.cwd())
    for path in paths:
        base = "" if path.startswith(os.sep) else here
        digest.update(f"{base}\0{path}\n".encode("utf-8", "surrogateescape"))
    return f"{digest.hexdigest()[:32]}-{rule.height}x{rule.width}{SUFFIX}"


def _room_for(path: Path, wanted: int, bound: int) -> int:
    """Return how many bytes a store may have, having deleted old ones that are in its way."""
    others = sorted(
        (found.st_mtime, found.st_size, other)
        for other in path.parent.glob(f"*{SUFFIX}")
        if other != path and (found := other.stat())
    )
    used = sum(size for _, size, _ in others)
    for _, size, other in others:
        if used + wanted <= bound:
            break
        if remove_unused(other):
            _log.info("Image cache: deleted %s to make room", other)
            used -= size
    return max(0, bound - used)


def _checksum(entry: Words) -> np.uint64:
    """Return a number above 0 that other marks or pixels would hardly have."""
    weights = _weights(len(entry))
    total = int(np.dot(entry[MARKS:], weights[MARKS:])) + int(np.dot(entry[:2], weights[:2]))
    return np.uint64(total & 0xFFFF_FFFF_FFFF_FFFF | 1)


@cache
def _weights(length: int) -> Words:
    """Return odd random factors: a change of any one word changes the checksum."""
    drawn = np.random.default_rng(0x5EED).integers(0, 1 << 64, length, dtype=np.uint64)
    return drawn | np.uint64(1)


def _hold_alone(file: int) -> bool:
    """Hold a file that nobody else holds, and say whether that was possible."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _hold(file: int) -> None:
    # Not by filelock: only its newest versions have shared locks, and these lock a database of
    # their own, not this file.
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(file, fcntl.LOCK_SH)


def _take_space(file: int, begin: int, size: int) -> None:
    # What is there already is left alone: file systems that reserve nothing have it rewritten byte
    # by byte, against those who write images to it, and those that compress never have it all.
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, begin, size - begin)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
        else:
            return
    os.truncate(file, size)


def _write_at(file: int, data: bytes, offset: int) -> None:
    if sys.platform == "win32":  # no process there shares the file's position with another
        os.lseek(file, offset, os.SEEK_SET)
        os.write(file, data)
        return
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
