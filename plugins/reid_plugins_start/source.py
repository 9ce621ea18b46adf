"""What the data is: something to import, a table to split, or a table that is split already."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reid_plugins_own_data.splitting.table import LABELS, SPLIT, ImageTable, read_table

from reidcore.errors import DataError, UserError, did_you_mean

_WHOLE = {"train", "query", "gallery"}


@dataclass(frozen=True)
class Source:
    """Data that a road begins with.

    Attributes:
        path: as it was given.
        table: the table of images, where there is one; None if the data has to be imported.
        is_split: whether the table says train, query and gallery already.
    """

    path: Path
    table: ImageTable | None = None
    is_split: bool = False

    @property
    def name(self) -> str:
        """Return what the data is called: by its folder, in letters that a dataset may have."""
        stem = self.path.resolve().stem
        return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "own"

    def digest(self) -> str:
        """Return what changes with the data: of a table its bytes, of a folder its listing."""
        file = self.path if self.table is None else self.table.file
        if file.is_file():
            with file.open("rb") as opened:
                return hashlib.file_digest(opened, "sha256").hexdigest()
        total = hashlib.sha256()
        for line in _listing(self.path):
            total.update(line.encode(errors="surrogateescape"))
        return total.hexdigest()


def open_source(path: Path, class_name: str = "") -> Source:
    """Say what the data is.

    Args:
        path: a folder, a file of annotations or a table.
        class_name: the only class that is wanted; a table must have it.

    Raises:
        DataError: there is nothing, or a table that cannot be read.
    """
    if not path.exists():
        raise DataError(f"there is nothing at {str(path)!r}", "Check the path")
    file = path / LABELS if path.is_dir() else path
    if not file.is_file() or file.suffix.lower() != ".csv":
        return Source(path)
    table = read_table(file, {})
    if class_name:
        _check_class(table, class_name)
    words = set(map(str.strip, table.columns.get(SPLIT, ())))
    return Source(path, table, words >= _WHOLE and not class_name)


def _check_class(table: ImageTable, wanted: str) -> None:
    if "class" not in table.columns:
        raise UserError(
            f"{str(table.file)!r} has no column 'class', of which --class takes one",
            "Leave --class out, or add the column",
        )
    known = sorted(set(table.columns["class"]))
    if wanted not in known:
        raise UserError(
            f"{str(table.file)!r} has no rows of the class {wanted!r}",
            did_you_mean(wanted, known) or f"It has {', '.join(known)}",
        )


def _listing(folder: Path) -> Iterator[str]:
    """Yield name, size and time of change of every file below a folder, links followed once."""
    seen = {os.path.realpath(folder)}
    for above, folders, names in os.walk(folder, followlinks=True):
        inside = above.removeprefix(str(folder))
        folders[:] = sorted(name for name in folders if _is_new(Path(above, name), seen))
        for name in sorted(names):
            try:
                status = Path(above, name).stat()
            except OSError:  # a link that leads nowhere
                yield f"{inside}/{name}\n"
            else:
                yield f"{inside}/{name} {status.st_size} {status.st_mtime_ns}\n"


def _is_new(folder: Path, seen: set[str]) -> bool:
    real = os.path.realpath(folder)
    is_new = real not in seen
    seen.add(real)
    return is_new
