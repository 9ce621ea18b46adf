"""What lies in a folder: one pass over it, sorted, nothing looked at but names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reid_plugins_datasets.reading.names import shown
from reidcore.data import leave_out_files
from reidcore.errors import DataError

JPEG = (".jpg",)
PNG = (".png",)


class Listed(NamedTuple):
    """An entry of a folder.

    Attributes:
        name: its name.
        path: the folder's path with that name.
    """

    name: str
    path: str


def list_files(
    folder: str | os.PathLike[str], extensions: Sequence[str], any_case: bool = False
) -> list[Listed]:
    """List the files of a folder with one of the extensions, sorted by name.

    Args:
        folder: where to look; not in the folders below it.
        extensions: endings with their dot, such as ``.jpg``; other files are left out and told,
            hidden ones passed over.
        any_case: whether ``.JPG`` counts as ``.jpg``.

    Raises:
        DataError: the folder cannot be read.
    """
    names = list_names(folder, extensions, any_case)
    return [Listed(name, os.path.join(folder, name)) for name in names]  # noqa: PTH118


def list_names(
    folder: str | os.PathLike[str], extensions: Sequence[str], any_case: bool = False
) -> list[str]:
    """List the names of a folder's files, sorted; arguments and errors as of `list_files`."""
    endings, folded = tuple(extensions), str.lower if any_case else str
    names, others = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if folded(entry.name).endswith(endings):
                    if not entry.is_dir():
                        names.append(entry.name)
                elif not entry.is_dir():
                    others.append(entry.name)
    except OSError as error:
        raise DataError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    places = [os.path.join(folder, name) for name in sorted(others)]  # noqa: PTH118
    leave_out_files(places, f"not {', '.join(extensions)}")
    return sorted(names)


def list_folders(folder: str | os.PathLike[str]) -> list[Listed]:
    """List the folders in a folder, sorted by name; hidden ones are passed over.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Listed(entry.name, entry.path)
                for entry in entries
                if entry.is_dir() and not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error


def check_files(folder: Path, names: Sequence[str], listed_in: Path) -> None:
    """Check that the files that a list names are there, at one look at each folder.

    Args:
        folder: where they lie.
        names: paths below it, with slashes.
        listed_in: the list, for the message.

    Raises:
        DataError: some are missing; the message counts them and shows the first three.
    """
    below = {name.rpartition("/")[0] for name in names}
    there = {path: _entries(os.path.join(folder, path)) for path in below}  # noqa: PTH118
    parted = (name.rpartition("/") for name in names)
    missing = ["".join(parts) for parts in parted if parts[2] not in there[parts[0]]]
    if missing:
        raise DataError(
            f"files listed in {str(listed_in)!r} are missing in {str(folder)!r} "
            f"({len(missing)} of {len(names)}): {shown(missing)}",
            "The lists and the images are of different versions, or were not unpacked completely",
        )


def _entries(folder: str) -> set[str]:
    """Return the names in a folder; none where there is no such folder.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        return set(os.listdir(folder))  # noqa: PTH208  (thousands of folders)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise DataError(f"cannot read the folder {folder!r}: {error.strerror}") from error
