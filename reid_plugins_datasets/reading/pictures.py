"""Folders of pictures whose names carry the labels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from reid_plugins_datasets.reading.listing import list_files, list_folders, list_names
from reid_plugins_datasets.reading.names import NameForm

_NUMBER = NameForm(re.compile(r"(?P<pid>\d+)"), "0007: identity 7")


class Picture(NamedTuple):
    """A picture: what its name says, and where it lies."""

    match: re.Match[str]
    path: str


class PersonFolder(NamedTuple):
    """The folder of one identity, whose number is its name."""

    pid: int
    path: Path


def read_pictures(
    folder: str | Path,
    form: NameForm,
    extensions: Sequence[str] = (".jpg",),
    tell_deeper: bool = True,
) -> list[Picture]:
    """Return the pictures of a folder, sorted by name.

    Args:
        folder: where they lie; not in the folders below it.
        form: how they are named.
        extensions: endings with their dot; see `list_files` for other files.
        tell_deeper: whether pictures in the folders below are told as left out.

    Raises:
        DataError: the folder cannot be read, or a picture has another name.
    """
    files = list_files(folder, extensions, form, tell_deeper)
    matches = form.read([file.name for file in files], folder, extensions)
    return [Picture(match, file.path) for match, file in zip(matches, files, strict=True)]


def read_below(
    folder: str | Path, form: NameForm, extensions: Sequence[str] = (".jpg",)
) -> list[Picture]:
    """Return the pictures of a folder and of all below it, sorted by path.

    Args:
        folder: where they lie.
        form: their paths below it, with slashes.
        extensions: endings with their dot; see `list_files` for other files.

    Raises:
        DataError: the folder cannot be read, or a picture has another path.
    """
    names = list_names(folder, extensions, form, below=True)
    matches = form.read(names, folder, extensions)
    paths = (os.path.join(folder, name) for name in names)  # noqa: PTH118  (a million times)
    return [Picture(match, path) for match, path in zip(matches, paths, strict=True)]


def person_folders(folder: Path) -> Iterator[PersonFolder]:
    """Yield the folders of identities in a folder, sorted by name.

    Raises:
        DataError: the folder cannot be read, or a folder in it has no number for its name.
    """
    found = list_folders(folder)
    matches = _NUMBER.read([person.name for person in found], folder)
    for person, match in zip(found, matches, strict=True):
        yield PersonFolder(int(match["pid"]), Path(person.path))
