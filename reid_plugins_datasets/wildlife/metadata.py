"""The table of a wildlife dataset: a row for each picture, with the animal and the day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.own.csv_columns import names_in, typed
from reid_plugins_datasets.own.csv_rows import Faults, open_rows
from reid_plugins_datasets.reading.listing import check_files
from reidcore.data import (
    JUNK_PID,
    Int64Array,
    LabelNames,
    NumberedTexts,
    SampleTable,
    leave_out,
)
from reidcore.errors import DataError, did_you_mean

UNDATED = -1
"""Day of a picture whose table does not say it."""

_DATE = re.compile(r"(\d{4})(?:[-/.:](\d{1,2})(?:[-/.:](\d{1,2}))?)?(?:[T ].*)?")
_MONTHS, _DAYS = 100, 10_000


class Metadata(NamedTuple):
    """N pictures of a table.

    Attributes:
        table: their samples, before camera 0; all other columns of the file are among its own.
        days: (N,) year x 10000 + month x 100 + day, with zeros for what is not said; `UNDATED`.
    """

    table: SampleTable
    days: Int64Array

    def take(self, rows: npt.NDArray[np.bool_]) -> Metadata:
        """Return some pictures."""
        return Metadata(self.table.take(rows), self.days[rows])


def read_metadata(path: Path, images: Path, names: Mapping[str, str], unknown: str) -> Metadata:
    """Read a table; pictures of unknown animals are left out and told.

    Args:
        path: the CSV file.
        images: the folder that relative paths start from.
        names: the columns ``path`` and ``identity`` -> what they are called; ``date`` may be
            absent from the file.
        unknown: what the column of identities says of an animal that nobody knows; nothing says
            so too.

    Raises:
        DataError: the file cannot be read, lacks a column, has faulty rows, or names pictures that
            are not there.
    """
    faults = Faults(path)
    with open_rows(path, "", faults) as (header, pieces, _):
        names = names_in(header, names)
        _check_columns(header, names, path)
        lines: list[int] = []
        columns: dict[str, list[str]] = {name: [] for name in header}
        for piece in pieces:
            lines += piece.lines
            for name, texts in piece.columns.items():
                columns[name] += texts
    paths = [text.replace("\\", "/") for text in columns.pop(names["path"])]
    pids, labels = _identities(columns.pop(names["identity"]), unknown, lines, faults)
    days = _days(columns.get(names["date"], [""] * len(paths)), lines, faults)
    faults.check()
    if not paths:
        raise DataError(f"{str(path)!r} has no rows", "It needs a row for each image")
    check_files(images, paths, path)
    further: dict[str, npt.NDArray[Any]] = {
        name: typed([np.array(texts, dtype=np.str_)])[0] for name, texts in columns.items()
    }
    camids = np.zeros_like(pids)
    table = SampleTable.below(images, paths, pids, camids, further, labels)
    known = pids != JUNK_PID
    leave_out(table.paths.take(~known), "images", "of animals that nobody knows", expected=True)
    return Metadata(table, days).take(known)


def _identities(
    texts: Sequence[str], unknown: str, lines: Sequence[int], faults: Faults
) -> tuple[Int64Array, LabelNames]:
    """Return (N,) the animals, `JUNK_PID` where nothing is said or that nobody knows it."""
    named = {text: text.strip() for text in texts}
    read = NumberedTexts.of(text for text, name in named.items() if name not in ("", unknown))
    for line, text in zip(lines, texts, strict=True) if read.wrong else ():
        if text in read.wrong:
            faults.add(line, f"the identity {text!r} {read.wrong[text]}")
    pids = np.array([read.numbers.get(text, JUNK_PID) for text in texts], dtype=np.int64)
    return pids, LabelNames(read.names)


def _days(texts: Sequence[str], lines: Sequence[int], faults: Faults) -> Int64Array:
    days = np.full(len(texts), UNDATED, dtype=np.int64)
    for row, text in enumerate(texts):
        if match := _DATE.fullmatch(text.strip()):
            year, month, day = (int(part or 0) for part in match.groups())
            days[row] = year * _DAYS + month * _MONTHS + day
        elif text.strip():
            faults.add(lines[row], f"the date {text!r} does not begin as 2015-06-30")
    return days


def years_of(days: Int64Array) -> Int64Array:
    """Return (N,) the years of days."""
    return days // _DAYS


def _check_columns(header: Sequence[str], names: Mapping[str, str], path: Path) -> None:
    for role in ("path", "identity"):
        if names[role] not in header:
            listed = ", ".join(map(repr, header))
            raise DataError(
                f"{str(path)!r} has no column {names[role]!r}; its first line names {listed}",
                f"{did_you_mean(names[role], header)} Name it by wildlife.{role}=NAME".lstrip(),
            )
