"""Which files in a folder are images: the one place that says so, for every reader."""

from __future__ import annotations

import os
import sys
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reidcore._files import file_identity
from reidcore.data.left_out import leave_out
from reidcore.errors import DataError

IMAGE_EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".tif"),
    *(".tiff", ".webp", ".avif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
)
"""Endings of the files that are taken for images, where the installed Pillow reads them."""

_CODECS = {".webp": "webp", ".avif": "avif", ".jp2": "jpg_2000", ".j2k": "jpg_2000"}
"""Endings that not every Pillow reads, and what it must be built with."""

_PACKAGES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "pillow-heif"),
    ".jxl": "pillow-jxl-plugin",
}
"""Endings that Pillow reads once a plugin has registered the opener of a further package."""

_CONVERTED = (".svg", ".psd", ".dng", ".cr2", ".nef", ".arw")

_SIDE_NAMES = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "#recycle"}
    | {"@recycle", "$recycle.bin", "system volume information", "lost+found"}
)


class Listing(NamedTuple):
    """What a pass over a folder found, as paths below it with slashes, sorted.

    Attributes:
        files: regular files that are no side files, of any ending.
        deeper: images in the folders below, where these were not to be read.
    """

    files: list[str]
    deeper: list[str]


def is_side_file(name: str) -> bool:
    """Say whether a file or folder of that name is another program's, such as ``._x.jpg``.

    Hidden ones are, and what systems and servers leave beside pictures: ``Thumbs.db``, ``@eaDir``.
    """
    return name.startswith(".") or name.lower() in _SIDE_NAMES


@cache
def image_endings() -> tuple[str, ...]:
    """Return the `IMAGE_EXTENSIONS` that the installed Pillow reads."""
    return tuple(ending for ending in IMAGE_EXTENSIONS if _has_codec(_CODECS.get(ending)))


def is_image(name: str) -> bool:
    """Say whether a file of that name is read as an image."""
    name = name.lower()
    return name.endswith(image_endings()) or (
        name.endswith(tuple(_PACKAGES)) and Path(name).suffix in _registered()
    )


def list_files(
    folder: str | os.PathLike[str], *, below: bool = False, tell_deeper: bool = True
) -> Listing:
    """Look through a folder; links to folders are followed, each folder is read once.

    What is there and cannot be read is left out and told: sockets and the like, links that lead
    nowhere or round, folders without permission; and images in folders below that are not to be
    read. Side files are passed over; those that look like images, and folders, are told.

    Args:
        folder: where to look.
        below: whether the files of the folders below count.
        tell_deeper: whether to look for images there, if they do not.

    Raises:
        DataError: the folder cannot be read.
    """
    found = _Pass(os.fspath(folder), below)
    found.run(deep=below or tell_deeper)
    for what, why, names, expected in found.left_out():
        leave_out(sorted(names), what, why, expected=expected)
    return Listing(sorted(found.names["files"]), sorted(found.names["deeper"]))


def find_image_files(folder: str | os.PathLike[str], *, below: bool = False) -> Listing:
    """Return the images of a folder; other files in it are left out and told, see `list_files`."""
    listing = list_files(folder, below=below)
    images = list(filter(is_image, listing.files))
    if len(images) < len(listing.files):
        others = [name for name in listing.files if not is_image(name)]
        leave_out_files([os.path.join(folder, name) for name in others])  # noqa: PTH118
    if listing.deeper:
        deeper = [os.path.join(folder, name) for name in listing.deeper]  # noqa: PTH118
        leave_out(deeper, "images in folders below", "no pattern with a slash reads them")
    return Listing(images, listing.deeper)


def leave_out_files(paths: Sequence[str], why: str = "no images") -> None:
    """Tell of files that are not read, with a warning if they are images by their names.

    Args:
        paths: the files.
        why: the reason for those that are no images, or images that are not wanted here.
    """
    kinds = defaultdict(list)
    for path in paths:
        kinds[_obstacle(path)].append(path)
    for obstacle, some in kinds.items():
        if obstacle == "":
            leave_out(some, "files", why, expected=not any(map(is_image, some)))
        else:
            leave_out(some, "images", obstacle)


class _Pass:
    """One pass over a folder."""

    def __init__(self, folder: str, below: bool) -> None:
        self._folder, self._below = folder, below
        self.names: dict[str, list[str]] = defaultdict(list)
        self._unread: dict[str, list[str]] = defaultdict(list)
        # A link to a folder above leads round.
        above = [folder, *map(str, Path(os.path.realpath(folder)).parents)]
        self._seen = {file_identity(path) for path in above}
        self._waiting: deque[str] = deque()

    def run(self, deep: bool) -> None:
        try:
            self._read("")
        except OSError as error:
            what = f"cannot read the folder {self._folder!r}: {error.strerror}"
            raise DataError(what, "Check the path, and who may read it") from error
        while deep and self._waiting:
            name = self._waiting.popleft()
            identity = file_identity(self._path(name))
            if identity in self._seen:
                self.names["again"].append(self._path(name))
                continue
            self._seen.add(identity)
            try:
                self._read(f"{name}/")
            except OSError as error:
                self._unread[error.strerror or str(error)].append(self._path(name))

    def left_out(self) -> list[tuple[str, str, list[str], bool]]:
        names = self.names
        return [
            ("files", "sockets, pipes or devices", names["special"], False),
            ("links", "they lead nowhere", names["links"], False),
            ("folders", "read already, by another path", names["again"], False),
            ("side files and folders", "of other programs", names["side"], True),
            *(("folders", why, folders, False) for why, folders in self._unread.items()),
        ]

    def _read(self, above: str) -> None:
        files = "files" if self._below or not above else "deeper"
        with os.scandir(self._path(above)) as entries:
            for entry in entries:
                name = above + entry.name
                if is_side_file(entry.name):
                    if entry.name.lower().endswith(IMAGE_EXTENSIONS) or entry.is_dir():
                        self.names["side"].append(entry.path)
                elif (kind := _kind(entry)) == "folder":
                    # Links come last: a folder keeps its own name.
                    (self._waiting.append if entry.is_symlink() else self._waiting.appendleft)(name)
                elif kind != "file":
                    self.names[kind].append(entry.path)
                elif files == "files" or is_image(name):
                    self.names[files].append(name)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)  # noqa: PTH118  (a million times)


def _kind(entry: os.DirEntry[str]) -> str:
    with suppress(OSError):
        if entry.is_file():
            return "file"
        if entry.is_dir():
            return "folder"
        if entry.stat():
            return "special"
    return "links"


def _has_codec(codec: str | None) -> bool:
    from PIL import features

    known = codec in features.modules or codec in features.codecs
    return codec is None or (known and bool(features.check(codec)))


def _registered() -> dict[str, str]:
    """Return the endings whose openers Pillow has so far; none if it is not loaded."""
    endings: dict[str, str] = getattr(sys.modules.get("PIL.Image"), "EXTENSION", {})
    return endings


def _obstacle(path: str) -> str:
    """Say why an image is not read; nothing for what is none, or could be read."""
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122  (a million times)
    if is_image(path):
        return ""
    if ending in _CODECS:
        return f"Pillow was built without {_CODECS[ending]}: install another, or convert them"
    if ending in _PACKAGES:
        return f"convert them, or let a plugin register {_PACKAGES[ending]}"
    return "Pillow does not read them: convert them" if ending in _CONVERTED else ""
