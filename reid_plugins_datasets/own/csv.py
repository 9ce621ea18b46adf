"""Anyone's own dataset: one table with a row for each image, read without code."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.own.csv_columns import check_columns, names_in, typed, usual_name
from reid_plugins_datasets.own.csv_rows import Codes, Faults, Piece, open_rows
from reid_plugins_datasets.own.csv_where import Where
from reidcore.data import (
    JUNK_PID,
    WITHOUT_CAMERAS,
    LabelNames,
    NumberedTexts,
    SampleTable,
    Splits,
    leave_out,
)
from reidcore.errors import DataError

SPLITS = ("train", "query", "gallery")
VALIDATION = ("train", "val_query", "val_gallery")
UNUSED = "unused"
WORDS = (*SPLITS, *VALIDATION[1:], UNUSED)
"""What the column of splits may say."""

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
    validation: bool = False,
    where: str = "",
) -> Splits:
    """Read a table of images: path, identity, camera and split of each; more columns are kept.

    The first line names the columns, in capital letters or small ones. Identities and cameras are
    whole numbers (``1.0`` is 1) or, where any of a column is no number, names, which keep their
    text; rows of identity -1 are left out and counted, and so are rows of separators alone. A table
    without the column of cameras is read as if the queries were seen by one camera and the gallery
    by another, so that no image is left out of any ranking but a query's own file. Each further
    column becomes a column of the tables: of whole numbers or of numbers if it holds nothing else,
    otherwise of text.

    Beside ``train``, ``query`` and ``gallery`` a row may be ``val_query`` or ``val_gallery``, for
    identities that are neither learnt from nor tested on, or ``unused``.

    Args:
        root: the data root.
        file: the table, below the root or anywhere; UTF-8, or UTF-16 with its mark.
        images: folder that relative paths start from; if empty, the table's own, or the root if
            the images lie there.
        delimiter: what separates the columns; if empty, the one of comma, semicolon, tab and bar
            that the first line has most often.
        path: name of the column with the images' paths.
        pid: name of the column with the identities.
        camid: name of the column with the cameras.
        split: name of the column that says ``train``, ``query`` or ``gallery``.
        validation: whether query and gallery are the rows for validation.
        where: rows that count, as in ``class=car`` or ``class=car,van``; empty for all.

    Raises:
        DataError: the table or a column is missing, rows have faults (they are counted, the first
            three are told with line and column), or no image is where its path says.
    """
    table = _found(Path(root), file)
    if len(delimiter) > 1:
        raise DataError(f"the delimiter {delimiter!r} has more than one character")
    faults = Faults(table)
    with open_rows(table, delimiter, faults) as (header, pieces, _):
        sought = {"path": path, "pid": pid, "camid": camid, "split": split}
        names = names_in(header, sought)
        check_columns(header, names, table)
        if where:
            pieces = Where(where, header, table).of(pieces)
        reading = _Reading(names, [table.parent, Path(root)], images, faults)
        parts = [reading.table_of(piece) for piece in pieces]
    if not parts:
        faults.check()
        raise DataError(f"{str(table)!r} has no rows", "It needs a row for each image")
    rows = SampleTable.joined(parts)
    rows = replace(rows, **reading.labels(rows, _without_cameras(table, header, names["camid"])))
    faults.check()
    tables = reading.splits_of(rows, VALIDATION if validation else SPLITS)
    _check_splits(tables, table, VALIDATION if validation else SPLITS)
    return Splits(*_with_types(tables))


class _Reading:
    """Makes a table of each piece of a file, whose labels are codes until all of it is read."""

    def __init__(
        self, names: dict[str, str], folders: Sequence[Path], images: str, faults: Faults
    ) -> None:
        self._names = names
        self._places = [folders[1] / images] if images else list(dict.fromkeys(folders))
        self._faults = faults
        self._folder = ""
        self._backslashes_separate: bool | None = None
        self._pids, self._camids = Codes(), Codes()
        self._lines: list[Sequence[int]] = []
        self._splits: list[npt.NDArray[np.int64]] = []

    def table_of(self, piece: Piece) -> SampleTable:
        names, columns = self._names, piece.columns
        self._lines.append(piece.lines)
        self._splits.append(piece.choices(names["split"], WORDS, self._faults))
        pids = self._pids.of(columns[names["pid"]])
        camids = self._camids.of(columns.get(names["camid"], [""] * len(pids)))
        known = set(names.values())
        further = {name: np.array(columns[name]) for name in columns if name not in known}
        folder, paths = self._paths_of(piece)
        return SampleTable.below(folder, paths, pids, camids, further)

    def labels(self, rows: SampleTable, without_cameras: str) -> dict[str, Any]:
        """Return identities, cameras and their names for the codes in a table of all rows.

        Args:
            rows: the table.
            without_cameras: what is told where there are none; empty if there are.
        """
        pids, pid_names = self._numbered("pid", self._pids, rows.pids, JUNK_PID)
        if without_cameras:
            sides = [word.removeprefix("val_") for word in WORDS]
            cameras = np.array([WITHOUT_CAMERAS.get(side, 0) for side in sides])
            camids = cameras[np.concatenate(self._splits)]
            camid_names = NumberedTexts.unknown_cameras(without_cameras).names
        else:
            camids, camid_names = self._numbered("camid", self._camids, rows.camids)
        return {"pids": pids, "camids": camids, "names": LabelNames(pid_names, camid_names)}

    def splits_of(self, rows: SampleTable, words: Sequence[str]) -> list[SampleTable]:
        """Return the tables of the rows with each word, without rows of nobody.

        Args:
            rows: all of them.
            words: what rows to learn from, of queries and of the gallery say.
        """
        kept, splits = rows.pids != JUNK_PID, np.concatenate(self._splits)
        leave_out(rows.paths.take(~kept), f"rows of identity {JUNK_PID}", expected=True)
        for place, word in enumerate(WORDS):
            if word not in words:
                others = rows.paths.take((splits == place) & kept)
                leave_out(others, f"rows of the split {word}", expected=True)
        return [rows.take((splits == WORDS.index(word)) & kept) for word in words]

    def _numbered(
        self, role: str, codes: Codes, column: npt.NDArray[np.int64], lowest: int | None = None
    ) -> tuple[npt.NDArray[np.int64], dict[int, str]]:
        read = NumberedTexts.of(codes, lowest)
        if read.wrong:
            self._tell_wrong(role, read, codes, column)
        if read.odd:
            row = int(np.argmax(column == codes[read.odd]))
            read.warn_of_mixture(f"line {self._line_of(row)}, column {self._names[role]!r}")
        numbers = np.array([read.numbers[text] for text in codes], dtype=np.int64)
        return numbers[column], read.names

    def _tell_wrong(
        self, role: str, read: NumberedTexts, codes: Codes, column: npt.NDArray[np.int64]
    ) -> None:
        texts = list(codes)
        wrong = np.flatnonzero(np.isin(column, [codes[text] for text in read.wrong]))
        for row in wrong.tolist():
            text = texts[column[row]]
            fault = f"column {self._names[role]!r}: {text!r} {read.wrong[text]}"
            self._faults.add(self._line_of(row), fault)

    def _line_of(self, row: int) -> int:
        """Return the line of a row of the whole table."""
        starts = [0, *accumulate(map(len, self._lines))]
        piece = bisect_right(starts, row) - 1
        return self._lines[piece][row - starts[piece]]

    def _paths_of(self, piece: Piece) -> tuple[str, Sequence[str]]:
        """Return the paths of a piece, and the folder that they are relative to."""
        paths = self._with_slashes(piece.columns[self._names["path"]])
        for line, path in zip(piece.lines, paths, strict=True) if "" in paths else ():
            if not path:
                self._faults.add(line, f"column {self._names['path']!r}: '' is empty")
        folder = self._folder = self._folder or self._folder_of(paths)
        if any(map(_is_absolute, paths)):
            return "", [path if _is_absolute(path) else folder + path for path in paths]
        return folder, paths

    def _with_slashes(self, paths: Sequence[str]) -> Sequence[str]:
        """Return paths whose backslashes separate folders, as on Windows, with slashes.

        A backslash belongs to a name where a file has it; the first paths decide for all.
        """
        if os.sep == "\\" or not any("\\" in path for path in paths):
            return paths
        if self._backslashes_separate is None:
            sought = islice((path for path in paths if "\\" in path), _SOUGHT)
            here = [place / path for path in sought for place in self._places]
            self._backslashes_separate = not any(map(Path.is_file, here))
        if not self._backslashes_separate:
            return paths
        return [path.replace("\\", "/") for path in paths]

    def _folder_of(self, paths: Sequence[str]) -> str:
        """Return the folder that relative paths start from, with its separator; if any are."""
        relative = (path for path in paths if path and not _is_absolute(path))
        sought = list(islice(relative, _SOUGHT))
        if not sought:
            return ""
        for place in self._places:
            if any((place / path).is_file() for path in sought):
                return str(place) + os.sep
        of_windows = re.match(r"[A-Za-z]:/|//", sought[0])
        raise DataError(
            f"no image of the table is where its path says: {sought[0]!r} is not in "
            f"{' nor in '.join(repr(str(place)) for place in self._places)}",
            "That is a path of another machine, which runs Windows: write relative ones"
            if of_windows
            else "Relative paths start from the table's folder or from data.root; the option "
            "images names another folder",
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


def _without_cameras(table: Path, header: Sequence[str], camid: str) -> str:
    """Say that a table has no cameras; nothing if it has."""
    if camid in header:
        return ""
    near = usual_name("camid", header)
    hint = f" (if {near!r} says them, set csv.camid={near})" if near else ""
    return f"{table} has no column {camid!r}{hint}"


def _check_splits(tables: Sequence[SampleTable], table: Path, words: Sequence[str]) -> None:
    train, query, gallery = map(len, tables)
    if not train + query + gallery:
        raise DataError(
            f"{str(table)!r} has no rows of the splits {', '.join(words)} but of identity "
            f"{JUNK_PID}",
            "Number its people, and say train, query or gallery of each",
        )
    if words is VALIDATION and not query + gallery:
        raise DataError(
            f"{str(table)!r} has no rows of the splits {' and '.join(words[1:])}",
            f"reidcore data split {table} --val-share 0.2 draws them",
        )
    if bool(query) != bool(gallery):
        there, lacking = words[1:] if query else words[:0:-1]
        raise DataError(
            f"{str(table)!r} has rows of the split {there} and none of {lacking}",
            "Give both or neither",
        )


def _with_types(tables: Sequence[SampleTable]) -> list[SampleTable]:
    """Give further columns of text the type that fits in all splits."""
    further: list[dict[str, npt.NDArray[Any]]] = [{} for _ in tables]
    for name in tables[0].columns:
        columns = typed([table.columns[name] for table in tables])
        for column, others in zip(columns, further, strict=True):
            others[name] = column
    return [SampleTable.of(table, columns=own) for table, own in zip(tables, further, strict=True)]
