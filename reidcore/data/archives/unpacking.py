"""Zip and tar archives, unpacked without trusting them."""

from __future__ import annotations

import posixpath
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from reidcore.errors import DataError

Advance = Callable[[int], None]

MOST_EXPANSION = 50
"""Pictures hardly pack: an archive that grows more than so many times is no dataset."""

_SMALL = 1 << 30  # bytes that an archive may unpack to whatever it expands
_PIECE = 1 << 20


class Contents(NamedTuple):
    """What an archive holds.

    Attributes:
        tops: names of the files and folders at its top.
        files: number of files.
        size: their size in bytes, unpacked.
    """

    tops: frozenset[str]
    files: int
    size: int


def contents_of(archive: Path) -> Contents:
    """Look through an archive without unpacking it.

    Raises:
        DataError: it is damaged, of another kind, or has an entry that leaves its folder, a link
            out of it, or anything but files and folders.
    """
    tops, files, size = set(), 0, 0
    with _told(archive), _opened(archive) as members:
        for member in members:
            tops.add(PurePosixPath(member.name).parts[0] if member.name else "")
            files += not member.is_folder
            size += member.size
    return Contents(frozenset(tops - {""}), files, size)


def unpack(archive: Path, folder: Path, advance: Advance = lambda count: None) -> None:
    """Unpack a zip or tar archive into a folder.

    Args:
        archive: The archive.
        folder: Where its contents go.
        advance: Told of the bytes that are written.

    Raises:
        DataError: The archive is damaged, of another kind, would write outside the folder, expands
            beyond measure, or needs more room than there is.
    """
    check_expansion(archive, contents_of(archive), folder)
    with _told(archive), _opened(archive) as members:
        for member in members:
            target = folder.joinpath(*PurePosixPath(member.name).parts)
            if member.is_folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as packed, target.open("wb") as file:
                while piece := packed.read(_PIECE):
                    file.write(piece)
                    advance(len(piece))


def check_expansion(archive: Path, contents: Contents, folder: Path) -> None:
    """Refuse what would fill the disk.

    Raises:
        DataError: The archive unpacks to far more than its own size, or than there is room for.
    """
    packed = archive.stat().st_size
    if contents.size > max(MOST_EXPANSION * packed, _SMALL):
        raise DataError(
            f"{archive.name} has {packed:,} bytes and would unpack to {contents.size:,}",
            "No dataset packs like this: it is damaged or made to fill the disk",
        )
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if contents.size > free:
        raise DataError(
            f"{archive.name} unpacks to {contents.size:,} bytes, and {free:,} are free in "
            f"{str(place)!r}",
            "Make room, or choose another data root",
        )


class _Member(NamedTuple):
    """A file or folder in an archive."""

    name: str
    size: int
    is_folder: bool
    open: Callable[[], IO[bytes]]


class _RefusedError(Exception):
    """An entry of an archive is not to be unpacked."""


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    try:
        yield
    except _RefusedError as error:
        raise DataError(
            f"cannot unpack {archive.name}: {error}",
            "A dataset's archive has no such entry: get it from its source again",
        ) from error
    except tarfile.ReadError as error:
        # Its own words tell of every method that tarfile tried, each on a line.
        raise DataError(
            f"cannot unpack {archive.name}: it is damaged, or neither a zip nor a tar file",
            "Fetch it again, or unpack it by hand",
        ) from error
    # RuntimeError: a zip file with a password.
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise DataError(
            f"cannot unpack {archive.name} ({error})", "Fetch it again, or unpack it by hand"
        ) from error


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield _zip_members(packed)
    else:
        with tarfile.open(archive) as rolled:
            yield _tar_members(rolled)


def _zip_members(packed: zipfile.ZipFile) -> Iterator[_Member]:
    for info in packed.infolist():
        name = _inside(info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _RefusedError(f"{info.filename!r} is a link")

        def opened(info: zipfile.ZipInfo = info) -> IO[bytes]:
            return packed.open(info)

        yield _Member(name, info.file_size, info.is_dir(), opened)


def _tar_members(rolled: tarfile.TarFile) -> Iterator[_Member]:
    for info in rolled:
        name = _inside(info.name)
        if not (info.isfile() or info.isdir()):
            kind = "a link" if info.issym() or info.islnk() else "no file"
            raise _RefusedError(f"{info.name!r} is {kind}")

        def opened(info: tarfile.TarInfo = info) -> IO[bytes]:
            file = rolled.extractfile(info)
            if file is None:
                raise _RefusedError(f"{info.name!r} is no file")
            return file

        yield _Member(name, info.size if info.isfile() else 0, info.isdir(), opened)


def _inside(name: str) -> str:
    """Return a name with plain slashes; refuse one that leads out of the folder."""
    plain = name.replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if plain.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")) or "\0" in name:
        raise _RefusedError(f"{name!r} would be written outside the folder")
    return "" if plain in ("", ".", "./") else posixpath.normpath(plain)
