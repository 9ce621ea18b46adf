"""Archives of datasets: downloaded over https, unpacked inside their own folder only."""

from __future__ import annotations

import hashlib
import logging
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from reidcore.cli import progress
from reidcore.data import Archive, DatasetCard
from reidcore.errors import DataError, UserError, counted
from reidcore.utils import (
    OFFLINE,
    check_writable,
    direct_address,
    download,
    is_offline,
    mkdir_if_missing,
    partial_folder,
)

_log = logging.getLogger(f"reidcore.{__name__}")

MOST_EXPANSION = 50
"""Images hardly compress: an archive that grows more than so many times is no dataset."""

_DRIVE = re.compile(r"(\./)*[A-Za-z]:")  # C:x is a place on drive C of its own

_SMALL = 1 << 30  # bytes that an archive may unpack to whatever it expands
_MAX_BYTES = 1 << 40
_MAX_SECONDS = 48 * 3600.0


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


class Prepared(NamedTuple):
    """What became of one archive.

    Attributes:
        archive: the archive.
        state: ``unpacked``, ``there already``, or ``not found``.
        contents: what it holds, if it was found.
    """

    archive: Archive
    state: str
    contents: Contents | None = None


def prepare_dataset(card: DatasetCard, root: Path, accept: bool = False) -> list[Prepared]:
    """Download and unpack the archives of a dataset that are not unpacked yet.

    An archive is looked for in the root and in the dataset's folder. What it holds is unpacked
    into a temporary folder first and moved when it is complete; existing files are left alone.

    Args:
        card: What is known about the dataset.
        root: Folder below which the datasets lie.
        accept: Whether a dataset that its authors withdrew is wanted all the same.

    Raises:
        UserError: The dataset was withdrawn, and that is not accepted.
        DataError: No archive is there and none can be downloaded, or one is damaged or unsafe.
    """
    if card.withdrawn and not accept:
        raise UserError(
            f"{card.title} was withdrawn: {card.withdrawn}",
            "To prepare it all the same, from an archive that you may have, say --accept",
        )
    if not card.archives:
        raise DataError(
            f"{card.title} is handed out in no archive that is known",
            f"Source: {card.source}\nExpected below {str(root)!r}:\n{card.layout}",
        )
    done = [_prepare(card, archive, root) for archive in card.archives]
    if all(each.state == "not found" for each in done) and not (root / card.folder).is_dir():
        names = " or ".join(repr(archive.filename) for archive in card.archives)
        raise DataError(
            f"{card.title}: {names} is not in {str(root)!r}, nor in the folder {card.folder!r} "
            "below it, and has no address to be fetched from",
            f"Get it from {card.source}\nLicence: {card.licence}",
        )
    return done


def download_archive(name: str, folder: str, url: str | None) -> None:
    """Download a zip or tar archive and unpack it into a folder; do nothing where that exists.

    The folder appears only when it is complete.

    Args:
        name: What it is, for messages.
        folder: Where the contents go.
        url: Address of the archive; None where the owners ask that it be fetched by hand.

    Raises:
        DataError: There is no https address, the download fails, or the archive is damaged or
            would write outside the folder.
    """
    target = Path(folder)
    if target.exists():
        return
    if not url or urlsplit(url).scheme != "https":
        place = f"Fetch it by hand{f' from {url}' if url else ''} and unpack it as {target}"
        raise DataError(f"{name} has no https address to be fetched from", place)
    target.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(target) as temporary:
        archive = temporary / (PurePosixPath(urlsplit(url).path).name or "archive")
        contents = temporary / "contents"
        _log.info("Fetching %s from %s", name, url)
        fetch(name, url, archive)
        unpack(archive, contents)
        contents.rename(target)


def fetch(name: str, url: str, file: Path, sha256: str = "") -> None:
    """Download a file over https.

    Args:
        name: What it is, for messages.
        url: Its address.
        file: Where it goes, once it is complete.
        sha256: Its SHA-256, if that is known.

    Raises:
        DataError: The address or a redirect is not https, downloads are switched off, this one
            fails, or the file has another hash.
    """
    if is_offline():
        raise DataError(
            f"{name} is not on this machine, and downloads are switched off ({OFFLINE})",
            f"Fetch {url} elsewhere and put it at {str(file)!r}",
        )
    address = direct_address(url)
    try:
        download(
            address, file, max_bytes=_MAX_BYTES, max_seconds=_MAX_SECONDS, sha256=sha256.lower()
        )
    except UserError as error:
        raise DataError(
            f"cannot fetch {name} from {url}: {error.what}",
            f"Run it again, or fetch it by hand and put it at {str(file)!r}",
        ) from error


def contents_of(archive: Path) -> Contents:
    """Read the names and sizes in an archive without unpacking it.

    Raises:
        DataError: it is damaged, of another kind, or has an entry that leaves its folder, a link,
            or anything but files and folders.
    """
    tops: set[str] = set()
    files = size = 0
    with _explained(archive), _opened(archive) as entries:
        for entry in entries:
            tops.update(PurePosixPath(entry.name).parts[:1])
            files += not entry.is_folder
            size += entry.size
    return Contents(frozenset(tops), files, size)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into a folder.

    Args:
        archive: The archive.
        folder: Where its contents go.

    Raises:
        DataError: The archive is damaged, of another kind, would write outside the folder, expands
            beyond measure, or needs more room than there is; nothing is written where a look at
            the entries tells.
    """
    contents = contents_of(archive)
    _check_expansion(archive, contents, folder)
    _extract(archive, folder, contents)


def _prepare(card: DatasetCard, archive: Archive, root: Path) -> Prepared:
    target = root / archive.unpacks_to
    file = _found(card, archive, root)
    if file is not None:
        _check_sha256(file, archive.sha256)
    elif archive.url:
        file = root / archive.filename
        fetch(f"{card.title}: {archive.filename}", archive.url, file, archive.sha256)
    else:
        return Prepared(archive, "not found")
    contents = contents_of(file)
    if all((target / name).exists() for name in contents.tops):
        return Prepared(archive, "there already", contents)
    check_writable(target, "--root FOLDER")
    _check_expansion(file, contents, target)
    _extract_beside(file, target, contents)
    return Prepared(archive, "unpacked", contents)


def _found(card: DatasetCard, archive: Archive, root: Path) -> Path | None:
    places = (root, root / card.folder, root / archive.unpacks_to)
    files = (place / archive.filename for place in places)
    return next((file for file in files if file.is_file()), None)


def _check_sha256(file: Path, expected: str) -> None:
    if not expected:
        return
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != expected.lower():
        raise DataError(
            f"{file} has the SHA-256 {found}, and {expected.lower()} was expected",
            "It is damaged, or another version: fetch it again",
        )


def _check_expansion(archive: Path, contents: Contents, folder: Path) -> None:
    """Reject an archive that would fill the disk."""
    packed = archive.stat().st_size
    if contents.size > max(MOST_EXPANSION * packed, _SMALL):
        raise DataError(
            f"{archive.name} has {counted(packed, 'byte')} and would unpack to {contents.size:,}",
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


def _extract_beside(file: Path, target: Path, contents: Contents) -> None:
    """Unpack into a temporary folder in the target, then move each top entry to its place."""
    mkdir_if_missing(target)
    with partial_folder(target / file.name) as temporary:
        _extract(file, temporary, contents)
        for entry in sorted(temporary.iterdir()):
            if not (target / entry.name).exists():
                entry.rename(target / entry.name)


def _extract(archive: Path, folder: Path, contents: Contents) -> None:
    doing = f"unpacking {archive.name}"
    with (
        _explained(archive),
        _opened(archive) as entries,
        progress(doing, contents.size, is_bytes=True) as advance,
    ):
        for entry in entries:
            entry.extract_to(folder)
            advance(entry.size)


class _Entry(NamedTuple):
    """A file or folder of an archive, under a name that stays in the folder unpacked to."""

    name: str
    size: int
    is_folder: bool
    extract_to: Callable[[Path], object]


class _RefusedError(Exception):
    """An entry of an archive is not to be unpacked."""


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Entry]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield (_zip_entry(zipped, info) for info in zipped.infolist())
    else:
        with tarfile.open(archive) as tarred:
            yield (_tar_entry(tarred, info) for info in tarred)


def _zip_entry(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    info.filename = _inside(info.filename, is_folder=info.filename.endswith("/"))
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _RefusedError(f"{info.filename!r} is a link")
    return _Entry(
        info.filename, info.file_size, info.is_dir(), lambda folder: zipped.extract(info, folder)
    )


def _tar_entry(tarred: tarfile.TarFile, info: tarfile.TarInfo) -> _Entry:
    info.name = _inside(info.name, is_folder=info.isdir())
    if not (info.isfile() or info.isdir()):
        kind = "a link" if info.issym() or info.islnk() else "no file"
        raise _RefusedError(f"{info.name!r} is {kind}")

    def extract_to(folder: Path) -> None:
        tarred.extract(info, folder, set_attrs=False, filter="data")

    return _Entry(info.name, info.size if info.isfile() else 0, info.isdir(), extract_to)


def _inside(name: str, is_folder: bool) -> str:
    """Return a name with plain slashes; refuse one that leads out of the folder.

    ``tarfile`` and ``zipfile`` would bring most such names inside without a word: but a dataset
    has none, so that an archive with one is not what it says it is.
    """
    plain = name.replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if not plain or not (parts or is_folder):
        raise _RefusedError("an entry has no name")
    if plain.startswith("/") or ".." in parts or _DRIVE.match(plain) or "\0" in name:
        raise _RefusedError(f"{name!r} would be written outside the folder")
    return plain


@contextmanager
def _explained(archive: Path) -> Iterator[None]:
    """Turn what goes wrong with an archive into a message that names it."""
    try:
        yield
    except _RefusedError as error:
        raise DataError(
            f"cannot unpack {archive.name}: {error}",
            "A dataset's archive has no such entry: get it from its source again",
        ) from error
    except tarfile.ReadError as error:
        # Its own message lists every compression that tarfile tried, a line each.
        raise DataError(
            f"cannot unpack {archive.name}: it is damaged, or neither a zip nor a tar file",
            "Fetch it again, or unpack it by hand",
        ) from error
    # RuntimeError: a zip file with a password.
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise DataError(
            f"cannot unpack {archive.name} ({error})", "Fetch it again, or unpack it by hand"
        ) from error
