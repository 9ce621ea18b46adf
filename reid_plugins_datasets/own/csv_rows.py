"""The rows of a CSV file, read in pieces, with whatever is wrong told by line and column."""

from __future__ import annotations

import csv
import re
from bisect import insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, compress, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

from reidcore.data import leave_out
from reidcore.errors import DataError, counted

__all__ = ["Codes", "Faults", "Piece", "Rows", "open_rows"]

DELIMITERS = ",;\t|"
"""Of these the one that the header has most often separates the columns."""

_PIECE = 1 << 13
_SHOWN = 3
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx and .xls begin


class Faults:
    """What is wrong with a file: all of it is counted, the first three are told.

    Args:
        path: the file, for the message.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._first: list[tuple[int, str]] = []

    def add(self, line: int, fault: str) -> None:
        """Note what is wrong on a line (base 1)."""
        self._count += 1
        # Columns are read one after the other, so faults do not come in the order of lines.
        insort(self._first, (line, fault))
        del self._first[_SHOWN:]

    def check(self) -> None:
        """Raise a DataError if anything was noted."""
        if self._count:
            shown = ", the first three" if self._count > _SHOWN else ""
            told = "; ".join(f"line {line}: {fault}" for line, fault in self._first)
            raise DataError(
                f"{counted(self._count, 'fault')} in {str(self._path)!r}{shown}: {told}",
                "Correct the table",
            )


class Piece(NamedTuple):
    """Some rows of a file.

    Attributes:
        lines: the line of each row, base 1.
        columns: name of a column -> its text in each row.
    """

    lines: Sequence[int]
    columns: dict[str, tuple[str, ...]]

    def choices(self, column: str, allowed: Sequence[str], faults: Faults) -> npt.NDArray[np.int64]:
        """Return the places of a column's words among the allowed ones, 0 for other words.

        Other words are faults.
        """
        places = {word: place for place, word in enumerate(allowed)}
        words = [word.strip() for word in self.columns[column]]
        for line, word in zip(self.lines, words, strict=True) if set(words) - set(places) else ():
            if word not in places:
                faults.add(line, f"column {column!r}: {word!r} is none of {', '.join(allowed)}")
        return np.array([places.get(word, 0) for word in words], dtype=np.int64)

    def rows_where(self, is_wanted: Sequence[bool]) -> Piece:
        """Return the rows that are wanted."""
        columns = {name: tuple(compress(texts, is_wanted)) for name, texts in self.columns.items()}
        return Piece(list(compress(self.lines, is_wanted)), columns)


class Codes(dict[str, int]):
    """Numbers for the distinct texts of a column, in the order in which they come."""

    def __missing__(self, text: str) -> int:
        """Number a new text."""
        self[text] = number = len(self)
        return number

    def of(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return (N,) the numbers of texts."""
        return np.fromiter(map(self.__getitem__, texts), np.int64, len(texts))


class Rows(NamedTuple):
    """An open CSV file.

    Attributes:
        header: the names of its columns.
        pieces: its rows, which can be gone through once.
        delimiter: what separates the columns.
    """

    header: list[str]
    pieces: Iterator[Piece]
    delimiter: str


@contextmanager
def open_rows(path: Path, delimiter: str, faults: Faults) -> Iterator[Rows]:
    """Open a CSV file, UTF-8, whose first line names the columns.

    Args:
        path: the file.
        delimiter: what separates the columns; empty to find out.
        faults: takes the rows with too few or too many fields.

    Raises:
        DataError: the file cannot be read, is no text in UTF-8 or UTF-16, is empty, or names a
            column twice.
    """
    try:
        with path.open(encoding=_encoding_of(path), newline="") as file:
            separator, before = _separator_of(file)
            separator = delimiter or separator
            reader = csv.reader(file, delimiter=separator)
            header = [name.strip("\ufeff").strip() for name in next(reader, [])]
            _check_header(header, path)
            unnamed = [f"column {place}" for place, name in enumerate(header, 1) if not name]
            leave_out(unnamed, "columns without a name", expected=True)
            named = list(filter(None, header))
            yield Rows(named, _pieces(reader, before, header, faults), separator)
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except (UnicodeError, csv.Error) as error:
        raise DataError(
            f"{str(path)!r} is no CSV file in UTF-8 ({error})",
            "Save it as one; spreadsheets call it 'CSV UTF-8'",
        ) from error


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    if head in _WORKBOOKS:
        raise DataError(
            f"{str(path)!r} is a spreadsheet's own file",
            "Save the sheet as CSV (UTF-8) and name that",
        )
    return "utf-16" if head.startswith(_UTF16) else "utf-8-sig"


def _separator_of(file: TextIO) -> tuple[str, int]:
    """Return what separates the columns, and how many lines come before the header.

    Spreadsheets write a first line such as ``sep=;``.
    """
    first = file.readline()
    told = re.fullmatch(r"(?i)sep=(.)\s*", first)
    if told:
        return told[1], 1
    file.seek(0)
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=unquoted.count), 0


def _pieces(reader: Any, before: int, header: list[str], faults: Faults) -> Iterator[Piece]:
    line = before + reader.line_num
    empty: list[str] = []
    while rows := list(islice(reader, _PIECE)):
        lines: Sequence[int] = range(line + 1, before + reader.line_num + 1)
        if len(lines) != len(rows):
            lines = _last_lines(rows, line)
        line = before + reader.line_num
        if set(map(len, rows)) != {len(header)} or not all(row[0] for row in rows):
            rows, lines = _complete(rows, lines, len(header), faults, empty)
        if rows:
            columns = dict(zip(header, zip(*rows, strict=True), strict=True))
            columns.pop("", None)
            yield Piece(lines, columns)
    leave_out(empty, "empty rows", expected=True)


def _last_lines(rows: Sequence[Sequence[str]], before: int) -> list[int]:
    """Return the line on which each row ends, where fields in quotes go over several lines."""
    sizes = (1 + sum(field.count("\n") for field in row) for row in rows)
    return list(accumulate(sizes, initial=before))[1:]


def _complete(
    rows: Sequence[list[str]],
    lines: Sequence[int],
    width: int,
    faults: Faults,
    empty: list[str],
) -> tuple[list[list[str]], list[int]]:
    """Return the rows with as many fields as the header, and their lines.

    Rows of separators alone are added to ``empty``; blank lines hold nothing to be told.
    """
    whole = []
    for line, row in zip(lines, rows, strict=True):
        if row and not any(map(str.strip, row)):
            empty.append(f"line {line}")
        elif len(row) == width:
            whole.append((row, line))
        elif row:
            faults.add(line, f"{counted(len(row), 'field')}, and the header has {width}")
    return [row for row, _ in whole], [line for _, line in whole]


def _check_header(header: list[str], path: Path) -> None:
    if not any(header):
        raise DataError(f"{str(path)!r} is empty", "Its first line must name the columns")
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        places = [str(place) for place, name in enumerate(header, 1) if name == twice[0]]
        raise DataError(
            f"{str(path)!r} has several columns {twice[0]!r} ({' and '.join(places)})",
            "Rename all but one",
        )
