"""What lies in a folder: one pass over it, sorted; nothing looked at but names and kinds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reid_plugins_datasets.reading.names import NameForm, shown
from reidcore import data
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
    folder: str | os.PathLike[str],
    extensions: Sequence[str],
    form: NameForm | None = None,
    tell_deeper: bool = True,
) -> list[Listed]:
    """List the images of a folder, sorted by name.

    Copies in another format (``.png`` for ``.jpg``) are listed where their names are of the form
    and the originals are not there. Other files are left out and told.

    Args:
        folder: where to look; not in the folders below it.
        extensions: endings of the originals with their dot, such as ``.jpg``.
        form: how they are named, if copies are to be listed.
        tell_deeper: whether images in the folders below are told.

    Raises:
        DataError: the folder cannot be read.
    """
    names = list_names(folder, extensions, form, tell_deeper)
    return [Listed(name, os.path.join(folder, name)) for name in names]  # noqa: PTH118


def list_names(
    folder: str | os.PathLike[str],
    extensions: Sequence[str],
    form: NameForm | None = None,
    tell_deeper: bool = True,
    below: bool = False,
) -> list[str]:
    """List the names of a folder's images, sorted; arguments and errors as of `list_files`.

    With ``below`` those in the folders below are among them, as paths with slashes, and so are
    their forms.
    """
    listing = data.list_files(folder, below=below, tell_deeper=tell_deeper)
    endings = tuple(extensions)
    names = [name for name in listing.files if name.endswith(endings)]
    others = [name for name in listing.files if not name.endswith(endings)]
    copies = [name for name in others if form and data.is_image(name) and form.match(name, endings)]
    if copies:
        there = {_stem(name) for name in names}
        chosen = {_stem(name): name for name in reversed(copies) if _stem(name) not in there}
        names = sorted([*names, *chosen.values()])
        double = set(copies) - set(chosen.values())
        told = [name for name in copies if name in double]
        data.leave_out(_paths(folder, told), "images", "copies in another format", expected=True)
        others = [name for name in others if name not in set(copies)]
    data.leave_out_files(_paths(folder, others), f"not {', '.join(extensions)}")
    deeper = _paths(folder, listing.deeper)
    data.leave_out(deeper, "images in folders below", "the layout has none there")
    return names


def list_folders(folder: str | os.PathLike[str]) -> list[Listed]:
    """List the folders in a folder, sorted by name; side files are passed over.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Listed(entry.name, entry.path)
                for entry in entries
                if _is_folder(entry) and not data.is_side_file(entry.name)
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
        above, _, name = missing[0].rpartition("/")
        copies = [
            other for other in there[above] if _stem(other) == _stem(name) and data.is_image(other)
        ]
        raise DataError(
            f"files listed in {str(listed_in)!r} are missing in {str(folder)!r} "
            f"({len(missing)} of {len(names)}): {shown(missing)}",
            f"There is {sorted(copies)[0]!r}: the lists name the original format, give them that"
            if copies
            else "The lists and the images are of different versions, or were not unpacked "
            "completely",
        )


def _stem(name: str) -> str:
    return name[: name.rfind(".")]


def _paths(folder: str | os.PathLike[str], names: Sequence[str]) -> list[str]:
    return [os.path.join(folder, name) for name in names]  # noqa: PTH118  (a million times)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round
        return False


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
