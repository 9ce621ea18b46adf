"""What a dataset's table depends on: the files it is read from, and the code that reads them."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
"""Files of which readers see the names alone."""

READ_WHOLE = 1 << 20
"""Up to this many bytes the contents of a list tell whether it is the same; then size and time."""


@dataclass(frozen=True)
class Snapshot:
    """What lies in some folders and below them.

    Pictures count with their names, other files with their contents (large ones with their size
    and time of change). No picture is opened, and none is asked for more than its name.

    Attributes:
        hash: tells it from anything else, wherever the folders lie.
        times: when each folder, and each file that is no picture, was changed, in nanoseconds; None
            for a folder that is not there.
    """

    hash: str
    times: Mapping[str, int | None]

    @classmethod
    def of(cls, *folders: Path) -> Snapshot:
        """Look through folders.

        Raises:
            OSError: a folder or a list cannot be read.
        """
        digest = hashlib.sha256()
        times: dict[str, int | None] = {}
        for number, folder in enumerate(folders):
            digest.update(_encoded("place", str(number)))
            if not folder.exists():
                times[str(folder)] = None
                continue
            for line in _lines(folder, "", set(), times):
                digest.update(line)
        return cls(digest.hexdigest(), times)

    def still_holds(self) -> bool:
        """Say whether nothing changed since; a folder's time changes with the names in it."""
        return all(_time_of(path) == time for path, time in self.times.items())


def _time_of(path: str) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return None


def _lines(
    folder: Path, below: str, followed: set[tuple[int, int]], times: dict[str, int | None]
) -> Iterator[bytes]:
    times[str(folder)] = folder.stat().st_mtime_ns
    folders, pictures, others = [], [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if not entry.is_symlink() or _is_new(entry, followed):
                    folders.append(entry.name)
            elif (name := entry.name).endswith(PICTURES) or name.lower().endswith(PICTURES):
                pictures.append(name)
            else:
                others.append(entry)
    yield _encoded("folder", below, *sorted(pictures))
    for entry in sorted(others, key=lambda other: other.name):
        yield _encoded("file", entry.name, _state_of(entry, times))
    for name in sorted(folders):
        yield from _lines(folder / name, f"{below}/{name}", followed, times)


def _is_new(link: os.DirEntry[str], followed: set[tuple[int, int]]) -> bool:
    """Say whether a link leads where none led before; a link to a folder above ends there."""
    status = link.stat()
    place = (status.st_dev, status.st_ino)
    if place in followed:
        return False
    followed.add(place)
    return True


def _state_of(entry: os.DirEntry[str], times: dict[str, int | None]) -> str:
    try:
        status = entry.stat()
    except FileNotFoundError:  # a link to nothing
        return "nothing"
    times[entry.path] = status.st_mtime_ns
    if status.st_size <= READ_WHOLE and entry.is_file():
        return hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
    return f"{status.st_size} {status.st_mtime_ns}"


def _encoded(*words: str) -> bytes:
    return "\0".join(words).encode("utf-8", "surrogateescape") + b"\n"


def fingerprint_of_reader(factory: Callable[..., Any]) -> str | None:
    """Return a hash of the source of a dataset's factory, its package and the core's own readers.

    None where the source does not tell what the factory does: it is no plain function of a module,
    or the module has no file.
    """
    if not inspect.isfunction(factory) or factory.__closure__ or "<" in factory.__qualname__:
        return None
    sources = _sources_of(factory.__module__)
    if sources is None:
        return None
    core = _hash_of_files(Path(__file__).parents[1])
    return f"{factory.__module__}:{factory.__qualname__} {sources} {core}"


def _sources_of(module: str) -> str | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    package = getattr(sys.modules.get(module.partition(".")[0]), "__file__", None)
    inside = "." in module or Path(file).name == "__init__.py"
    return _hash_of_files(Path(package).parent if inside and package else Path(file))


@lru_cache(maxsize=64)
def _hash_of_files(place: Path) -> str:
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    digest = hashlib.sha256()
    for path in files:
        try:
            source = path.read_bytes()
        except OSError:
            source = b""
        digest.update(_encoded(path.relative_to(place.parent).as_posix(), str(len(source))))
        digest.update(source)
    return digest.hexdigest()
