"""The rows of a CSV file, read in pieces, with whatever is wrong told by line and column."""

from __future__ import annotations

import csv
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError

DELIMITERS = ",;\t|"
"""Of these the one that the header has most often separates the columns."""

_PIECE = 1 << 13
_SHOWN = 3
_LOWEST = -(2**63)


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
            faults = "fault" if self._count == 1 else "faults"
            shown = ", the first three" if self._count > _SHOWN else ""
            told = "; ".join(f"line {line}: {fault}" for line, fault in self._first)
            raise DataError(
                f"{self._count} {faults} in {str(self._path)!r}{shown}: {told}",
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

    def numbers(self, column: str, faults: Faults, lowest: int = _LOWEST) -> npt.NDArray[np.int64]:
        """Return a column of whole numbers, with 0 for what is none or too low; that is a fault."""
        texts = self.columns[column]
        if not any("_" in text for text in texts):  # int() takes 1_2 for 12
            try:
                found = np.array(list(map(int, texts)), dtype=np.int64)
            except (ValueError, OverflowError):
                pass
            else:
                if found.min(initial=lowest) >= lowest:
                    return found
        whole = partial(_whole_number, lowest=lowest)
        return np.array(self._one_by_one(column, whole, faults), dtype=np.int64)

    def choices(self, column: str, allowed: Sequence[str], faults: Faults) -> npt.NDArray[np.int64]:
        """Return the places of a column's words among the allowed ones, 0 for other words.

        Other words are faults.
        """
        places = {word: place for place, word in enumerate(allowed)}

        def place_of(word: str) -> int:
            if word.strip() not in places:
                raise ValueError(f"is none of {', '.join(allowed)}")
            return places[word.strip()]

        try:
            found = [places[word] for word in self.columns[column]]
        except KeyError:
            found = self._one_by_one(column, place_of, faults)
        return np.array(found, dtype=np.int64)

    def _one_by_one(self, column: str, convert: Callable[[str], int], faults: Faults) -> list[int]:
        converted = []
        for line, value in zip(self.lines, self.columns[column], strict=True):
            try:
                converted.append(convert(value))
            except ValueError as error:
                faults.add(line, f"column {column!r}: {value!r} {error}")
                converted.append(0)
        return converted


class Rows(NamedTuple):
    """An open CSV file.

    Attributes:
        header: the names of its columns.
        pieces: its rows, which can be gone through once.
    """

    header: list[str]
    pieces: Iterator[Piece]


@contextmanager
def open_rows(path: Path, delimiter: str, faults: Faults) -> Iterator[Rows]:
    """Open a CSV file, UTF-8, whose first line names the columns.

    Args:
        path: the file.
        delimiter: what separates the columns; empty to find out.
        faults: takes the rows with too few or too many fields.

    Raises:
        DataError: the file cannot be read, is no UTF-8 text, is empty, or names a column twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter or max(DELIMITERS, key=first.count))
            header = [name.strip() for name in next(reader, [])]
            _check_header(header, path)
            yield Rows(header, _pieces(reader, header, faults))
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{str(path)!r} is no CSV file in UTF-8 ({error})", "Save it as one") from (
            error
        )


def _pieces(reader: Any, header: list[str], faults: Faults) -> Iterator[Piece]:
    line = reader.line_num
    while rows := list(islice(reader, _PIECE)):
        lines: Sequence[int] = range(line + 1, reader.line_num + 1)
        if len(lines) != len(rows):
            lines = _last_lines(rows, line)
        line = reader.line_num
        if set(map(len, rows)) != {len(header)}:
            rows, lines = _complete(rows, lines, len(header), faults)
        if rows:
            yield Piece(lines, dict(zip(header, zip(*rows, strict=True), strict=True)))


def _last_lines(rows: Sequence[Sequence[str]], before: int) -> list[int]:
    """Return the line on which each row ends, where fields in quotes go over several lines."""
    sizes = (1 + sum(field.count("\n") for field in row) for row in rows)
    return list(accumulate(sizes, initial=before))[1:]


def _complete(
    rows: Sequence[list[str]], lines: Sequence[int], width: int, faults: Faults
) -> tuple[list[list[str]], list[int]]:
    """Return the rows with as many fields as the header; empty lines are no fault."""
    whole = []
    for line, row in zip(lines, rows, strict=True):
        if len(row) == width:
            whole.append((row, line))
        elif row:
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            faults.add(line, f"{fields}, and the header has {width}")
    return [row for row, _ in whole], [line for _, line in whole]


def _check_header(header: list[str], path: Path) -> None:
    if not header:
        raise DataError(f"{str(path)!r} is empty", "Its first line must name the columns")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{str(path)!r} has several columns {twice[0]!r}", "Rename them")


def _whole_number(text: str, lowest: int) -> int:
    try:
        number = int(text) if "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        raise ValueError("is no whole number")
    if not _LOWEST <= number < -_LOWEST:
        raise ValueError("does not fit into 64 bits")
    if number < lowest:
        raise ValueError(f"is below {lowest}, which marks junk")
    return number
