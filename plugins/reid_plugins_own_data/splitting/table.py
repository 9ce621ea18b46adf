"""The table of images that is split: read whole, and written with its column of splits."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_plugins_datasets.own.csv_columns import check_columns, names_in, usual_name
from reid_plugins_datasets.own.csv_rows import Faults, open_rows
from reid_plugins_own_data.importing.table import LABELS
from reidcore.errors import DataError, UnknownNameError, UserError, did_you_mean
from reidcore.utils import atomic_write

__all__ = ["LABELS", "SPLIT", "ImageTable", "read_table", "table_file", "write_splits"]

SPLIT = "split"

_NAMED = 10


@dataclass(frozen=True)
class ImageTable:
    """A table with a row for each image.

    Attributes:
        file: where it was read.
        columns: name -> the text of each row.
        roles: ``path``, ``pid`` and ``camid`` -> the name of its column.
        delimiter: what separates the columns.
    """

    file: Path
    columns: dict[str, Sequence[str]]
    roles: Mapping[str, str]
    delimiter: str

    def options(self) -> dict[str, str]:
        """Return the options of the dataset ``csv`` that are not its defaults."""
        return {role: name for role, name in self.roles.items() if name != role}

    def check_column(self, name: str, option: str) -> None:
        """Make sure that there is a column.

        Raises:
            UnknownNameError: naming the option that asks for it, and the nearest names.
        """
        if name not in self.columns:
            raise UnknownNameError(
                f"{str(self.file)!r} has no column {name!r} ({option})",
                did_you_mean(name, self.columns) or f"It has {', '.join(self.columns)}",
            )

    def rows_where(self, condition: str) -> list[bool]:
        """Return of each row whether a column has a value.

        Args:
            condition: ``COLUMN=VALUE``.

        Raises:
            UserError: it is no condition, or no row has that.
        """
        name, is_equal, wanted = condition.partition("=")
        if not is_equal:
            raise UserError(f"--only {condition!r} is no COLUMN=VALUE", "Such as class=van")
        self.check_column(name, "--only")
        texts = [text.strip() for text in self.columns[name]]
        if wanted not in texts:
            known = sorted(set(texts))
            raise UserError(
                f"{str(self.file)!r} has no row with {condition}",
                did_you_mean(wanted, known) or f"It has {', '.join(known[:_NAMED])}",
            )
        return [text == wanted for text in texts]


def table_file(source: Path) -> Path:
    """Return the table that a path names: itself, or the one in a folder.

    Raises:
        DataError: there is none.
    """
    if source.is_file():
        return source
    file = source / LABELS
    if file.is_file():
        return file
    if source.is_dir():
        raise DataError(
            f"the folder {str(source)!r} has no {LABELS}",
            f"reidcore data import {source} DEST makes a folder that has one; a table of another "
            "name is named itself",
        )
    raise DataError(f"there is no table {str(source)!r}", "Check the path")


def read_table(file: Path, roles: Mapping[str, str]) -> ImageTable:
    """Read all columns of a table as text.

    Args:
        file: the table.
        roles: ``path``, ``pid`` and ``camid`` -> the column that says it, where that is known;
            other columns are found by the names that such columns usually have.

    Raises:
        DataError: it cannot be read, has faults (counted, the first three told), or says no path
            or no identity.
    """
    faults = Faults(file)
    with open_rows(file, "", faults) as (header, pieces, delimiter):
        names = _roles(header, roles)
        check_columns(header, names, file)
        parts = [piece.columns for piece in pieces]
    faults.check()
    if not parts:
        raise DataError(f"{str(file)!r} has no rows", "It needs a row for each image")
    columns = {name: [text for part in parts for text in part[name]] for name in header}
    return ImageTable(file, dict(columns), names, delimiter)


def _roles(header: Sequence[str], roles: Mapping[str, str]) -> dict[str, str]:
    given = {role: name for role, name in roles.items() if name}
    sought = {role: usual_name(role, header) or role for role in ("path", "pid", "camid")}
    return names_in(header, {**sought, **given})


def write_splits(table: ImageTable, words: Sequence[str], target: Path) -> None:
    """Write a table with its column of splits, complete or not at all.

    Args:
        table: what was read; a column of splits in it is replaced.
        words: what the column says of each row.
        target: the file, which may be the one that was read; in another folder, paths become
            absolute ones.

    Raises:
        DataError: the target lies elsewhere, and images are not where the table's folder says.
        UserError: it cannot be written.
    """
    name = next((each for each in table.columns if each.casefold() == SPLIT), SPLIT)
    columns = {**table.columns, name: words}
    path = table.roles["path"]
    if target.absolute().parent != table.file.absolute().parent:
        columns[path] = _absolute(table.columns[path], table.file.absolute().parent)
    text = io.StringIO()
    rows = csv.writer(text, delimiter=table.delimiter, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*columns.values(), strict=True))
    with atomic_write(target) as file:
        file.write(text.getvalue().encode())


def _absolute(paths: Sequence[str], folder: Path) -> list[str]:
    relative = next((path for path in paths if not Path(path).is_absolute()), "")
    if relative and not (folder / relative).is_file():
        raise DataError(
            f"there is no image {str(folder / relative)!r}, and the table is to be written to "
            "another folder",
            "Write it to its own folder, where its paths stay as they are",
        )
    return [os.path.join(folder, path) for path in paths]  # noqa: PTH118  (a million of them)
