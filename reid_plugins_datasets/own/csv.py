"""Anyone's own dataset: one table with a row for each image, read without code."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.own.csv_rows import Faults, Piece, open_rows
from reidcore.data import JUNK_PID, SampleTable, Splits, leave_out
from reidcore.errors import DataError, did_you_mean

_log = logging.getLogger(f"reidcore.{__name__}")

SPLITS = ("train", "query", "gallery")

CAMIDS_WITHOUT_COLUMN = np.array([0, 0, 1], dtype=np.int64)
"""Camera of training, query and gallery images where the table has none."""

_SOUGHT = 100


def csv(
    root: str | os.PathLike[str],
    *,
    file: str = "",
    images: str = "",
    delimiter: str = "",
    path: str = "path",
    pid: str = "pid",
    camid: str = "camid",
    split: str = "split",
) -> Splits:
    """Read a table of images: path, identity, camera and split of each; more columns are kept.

    The first line names the columns. Identities (0 and more) and cameras are whole numbers; rows of
    identity -1 are left out and counted. A table without the column of cameras is read as if the
    queries were seen by one camera and the gallery by another, so that no image is left out of any
    ranking but a query's own file. Each further column becomes a column of the tables: of whole
    numbers or of numbers if it holds nothing else, otherwise of text.

    Args:
        root: the data root.
        file: the table, below the root or anywhere; UTF-8.
        images: folder that relative paths start from; if empty, the table's own, or the root if
            the images lie there.
        delimiter: what separates the columns; if empty, the one of comma, semicolon, tab and bar
            that the first line has most often.
        path: name of the column with the images' paths.
        pid: name of the column with the identities.
        camid: name of the column with the cameras.
        split: name of the column that says ``train``, ``query`` or ``gallery``.

    Raises:
        DataError: the table or a column is missing, rows have faults (they are counted, the first
            three are told with line and column), or no image is where its path says.
    """
    table = _found(Path(root), file)
    if len(delimiter) > 1:
        raise DataError(f"the delimiter {delimiter!r} has more than one character")
    faults = Faults(table)
    with open_rows(table, delimiter, faults) as (header, pieces):
        names = {"path": path, "pid": pid, "camid": camid, "split": split}
        _check_columns(header, names, table)
        reading = _Reading(names, [table.parent, Path(root)], images, faults)
        parts = [reading.tables_of(piece) for piece in pieces]
    faults.check()
    _check_splits(parts, table)
    if camid not in header:
        _log.warning(
            "%s has no column %r: queries count as seen by one camera and the gallery by another, "
            "so no image of the query's own camera is left out",
            table,
            camid,
        )
    return Splits(*_with_types([SampleTable.joined(pieces) for pieces in zip(*parts, strict=True)]))


class _Reading:
    """Makes tables of pieces of a file, each with a table for each split."""

    def __init__(
        self, names: dict[str, str], folders: Sequence[Path], images: str, faults: Faults
    ) -> None:
        self._names = names
        self._places = [folders[1] / images] if images else list(dict.fromkeys(folders))
        self._faults = faults
        self._folder = ""

    def tables_of(self, piece: Piece) -> list[SampleTable]:
        names, columns = self._names, piece.columns
        pids = piece.numbers(names["pid"], self._faults, lowest=JUNK_PID)
        splits = piece.choices(names["split"], SPLITS, self._faults)
        if names["camid"] in columns:
            camids = piece.numbers(names["camid"], self._faults)
        else:
            camids = CAMIDS_WITHOUT_COLUMN[splits]
        known = set(names.values())
        further = {name: np.array(columns[name]) for name in columns if name not in known}
        folder, paths = self._paths_of(piece)
        rows = SampleTable.below(folder, paths, pids, camids, further)
        kept = pids != JUNK_PID
        leave_out(rows.paths.take(~kept), f"rows of identity {JUNK_PID}", expected=True)
        return [rows.take((splits == place) & kept) for place in range(len(SPLITS))]

    def _paths_of(self, piece: Piece) -> tuple[str, Sequence[str]]:
        """Return the paths of a piece, and the folder that they are relative to."""
        paths = piece.columns[self._names["path"]]
        for line, path in zip(piece.lines, paths, strict=True) if "" in paths else ():
            if not path:
                self._faults.add(line, f"column {self._names['path']!r}: '' is empty")
        folder = self._folder = self._folder or self._folder_of(paths)
        if any(map(_is_absolute, paths)):
            return "", [path if _is_absolute(path) else folder + path for path in paths]
        return folder, paths

    def _folder_of(self, paths: Sequence[str]) -> str:
        """Return the folder that relative paths start from, with its separator; if any are."""
        relative = (path for path in paths if path and not _is_absolute(path))
        sought = list(islice(relative, _SOUGHT))
        if not sought:
            return ""
        for place in self._places:
            if any((place / path).is_file() for path in sought):
                return str(place) + os.sep
        raise DataError(
            f"no image of the table is where its path says: {sought[0]!r} is not in "
            f"{' nor in '.join(repr(str(place)) for place in self._places)}",
            "Relative paths start from the table's folder or from data.root; the option images "
            "names another folder",
        )


def _is_absolute(path: str) -> bool:
    # os.path.isabs takes a second more for a million paths.
    return path.startswith("/") if os.name == "posix" else Path(path).is_absolute()


def _found(root: Path, file: str) -> Path:
    if not file:
        raise DataError("the dataset 'csv' was not told which table", "Set csv.file=labels.csv")
    places = [root / Path(file).expanduser(), Path(file).expanduser()]
    table = next((place for place in places if place.is_file()), None)
    if table is None:
        raise DataError(
            f"there is no table {str(places[0])!r}",
            "csv.file is sought below data.root, then in the working directory",
        )
    return table


def _check_columns(header: Sequence[str], names: dict[str, str], table: Path) -> None:
    missing = [name for role, name in names.items() if name not in header and role != "camid"]
    if missing:
        near = did_you_mean(missing[0], header)
        raise DataError(
            f"{str(table)!r} has no column {missing[0]!r}; its first line names "
            f"{', '.join(map(repr, header))}",
            f"{near + ' ' if near else ''}Expected path, pid, camid and split; other names are "
            "given by the options of those names, as in csv.pid=vehicle",
        )


def _check_splits(parts: Sequence[Sequence[SampleTable]], table: Path) -> None:
    train, query, gallery = (sum(len(part[place]) for part in parts) for place in range(3))
    if not train + query + gallery:
        raise DataError(f"{str(table)!r} has no rows", "It needs a row for each image")
    if bool(query) != bool(gallery):
        there, lacking = ("query", "gallery") if query else ("gallery", "query")
        raise DataError(
            f"{str(table)!r} has rows of the split {there} and none of {lacking}",
            "Give both or neither",
        )


def _with_types(tables: Sequence[SampleTable]) -> list[SampleTable]:
    """Give further columns of text the type that fits in all splits."""
    typed: list[dict[str, npt.NDArray[Any]]] = [{} for _ in tables]
    for name in tables[0].columns:
        columns = _typed([table.columns[name] for table in tables])
        for column, others in zip(columns, typed, strict=True):
            others[name] = column
    return [SampleTable.of(table, columns=own) for table, own in zip(tables, typed, strict=True)]


def _typed(columns: Sequence[npt.NDArray[np.str_]]) -> list[npt.NDArray[Any]]:
    """Return text as whole numbers, or as numbers, if there is nothing else."""
    if any(np.char.count(column, "_").any() for column in columns):  # 1_2 is no 12
        return list(columns)
    for kind in (np.int64, np.float64):
        try:
            return [column.astype(kind) for column in columns]
        except (ValueError, OverflowError):
            continue
    return list(columns)
