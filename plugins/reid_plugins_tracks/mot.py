"""Boxes as text in MOTChallenge's form: one row a box.

A row is ``frame, id, left, top, width, height, confidence, class, visibility``, of which the first
six are needed. Trackers write up to ten columns, -1 for what they do not know, and separate them by
commas, semicolons or spaces; of ten columns the last three are a place in the world. Frames are
counted from 1, an id of -1 is of a detection that no track has, and in ground truth the seventh
column is 0 for a row that does not count (Milan et al., "MOT16: A Benchmark for Multi-Object
Tracking", 2016).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, counted, quoted

__all__ = ["MotTable", "is_mot", "read_mot"]

_NAMES = ("frame", "id", "left", "top", "width", "height", "confidence", "class", "visibility")
_FORM = f"A row is: {', '.join(_NAMES)}, of which the first six are needed."
_FEWEST, _MOST = 6, 10
_TRUTH_WIDTH = 9
_CONFIDENCE, _CLASS, _VISIBILITY = 6, 7, 8
_LARGEST = 2**53  # up to here a float holds each whole number
_SHOWN = 3
_FIRST_CHARACTERS = 1000
_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")  # an empty cell is one: what follows does not move up
_CORNER = re.compile(r"x_?2|y_?2|right|bottom|.*max", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class MotTable:
    """N boxes, in the order of their rows.

    Attributes:
        lines: (N,) the line of the file in which each stands.
        frames: (N,) as the file counts them, 0 or more.
        tracks: (N,) ids, negative where no track is known.
        boxes: (N, 4) left, top, width and height in pixels.
        confidence: (N,) NaN where it is not told.
        category: (N,) number of the class, likewise.
        visibility: (N,) the share that is not hidden, likewise.
        is_ignored: (N,) whether ground truth says that a row does not count.
    """

    lines: npt.NDArray[np.int64]
    frames: npt.NDArray[np.int64]
    tracks: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    category: npt.NDArray[np.float64]
    visibility: npt.NDArray[np.float64]
    is_ignored: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, rows: npt.NDArray[Any]) -> MotTable:
        """Return the table of some rows, by a mask or in the order of their numbers."""
        return MotTable(*(getattr(self, column.name)[rows] for column in fields(self)))

    def repeated(self) -> npt.NDArray[np.bool_]:
        """Return (N,) whether an earlier row has a box of the same track in the same frame."""
        found = np.ones(len(self), dtype=np.bool_)
        found[np.unique(np.stack([self.frames, self.tracks]), axis=1, return_index=True)[1]] = False
        return found & (self.tracks >= 0)


def read_mot(path: Path, *, is_truth: bool | None = None) -> MotTable:
    """Read boxes. Empty lines, those that begin with ``#`` and a heading are passed over.

    Args:
        path: the file.
        is_truth: whether it is ground truth, whose seventh column is no confidence; by default rows
            with a visibility are taken for it.

    Raises:
        DataError: if the file cannot be read, has no boxes, or rows are none: the first are told
            with their lines.
    """
    cells: list[list[float]] = []
    widths: list[int] = []
    lines: list[int] = []
    faults: list[str] = []
    for number, line in _told_lines(path):
        try:
            if lines or not _is_heading(line):
                row, width = _numbers(line)
                cells.append(row)
                widths.append(width)
                lines.append(number)
        except ValueError as error:
            faults.append(f"line {number} {error}")
    if faults:
        shown = "; ".join(faults[:_SHOWN])
        raise DataError(
            f"{counted(len(faults), 'row')} of {str(path)!r} cannot be read: {shown}", _FORM
        )
    if not cells:
        raise DataError(f"{str(path)!r} has no boxes", _FORM)
    return _table(np.array(cells), np.array(widths), np.array(lines, dtype=np.int64), is_truth)


def is_mot(path: Path) -> bool:
    """Say whether a file is of rows of boxes, by its ending and its first row."""
    if path.suffix.lower() not in (".txt", ".csv"):
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        told = (line[:_FIRST_CHARACTERS] for line in file if _says_something(line))
        first = next(told, "")
        try:
            _numbers(next(told, "") if _is_heading(first) else first)
        except ValueError:
            return False
    return True


def _told_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if _says_something(line):
                    yield number, line
    except OSError as error:
        told = f"the boxes {str(path)!r} cannot be read: {error.strerror or error}"
        raise DataError(told, "Check the path.") from error
    except UnicodeDecodeError as error:
        told = f"{str(path)!r} is no text in UTF-8"
        raise DataError(told, f"Unpack it, or save it so. {_FORM}") from error


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_heading(line: str) -> bool:
    """Say whether a first line names the columns.

    Raises:
        ValueError: if they are others than those of the form.
    """
    names = [cell.strip("\"'") for cell in _SEPARATOR.split(line.strip())]
    if not names[0].lower().startswith("frame"):
        return False
    if any(_CORNER.fullmatch(name) for name in names[4:_FEWEST]):
        raise ValueError("names right and bottom, where width and height stand")
    return True


def _numbers(line: str) -> tuple[list[float], int]:
    """Return nine numbers, NaN where a row does not tell one, and how many columns it has.

    Raises:
        ValueError: it is no row; says what it has.
    """
    cells = _SEPARATOR.split(line.strip().rstrip(",; \t"))
    width = len(cells)
    if not _FEWEST <= width <= _MOST:
        raise ValueError(f"has {counted(width, 'column')}, not {_FEWEST} to {_MOST}")
    row = [_number(cell, place) for place, cell in enumerate(cells[: len(_NAMES)])]
    frame, track = row[:2]
    if frame % 1 or track % 1 or max(abs(frame), abs(track)) > _LARGEST:
        raise ValueError("has a frame or id that is no whole number")
    if frame < 0:
        raise ValueError(f"is of frame {frame:g}, and frames are counted from 1")
    return row + [math.nan] * (len(_NAMES) - len(row)), width


def _number(cell: str, place: int) -> float:
    try:
        # Python reads 2_10 as 210, which may be another track.
        number = math.inf if "_" in cell else float(cell or "nan")
    except ValueError:
        number = math.inf
    is_untold = math.isnan(number) and place >= _FEWEST
    if not (math.isfinite(number) or is_untold):
        name = _NAMES[place]
        raise ValueError(f"has {quoted(cell)} as {name}, where a finite number stands")
    return number


def _table(
    cells: npt.NDArray[np.float64],
    widths: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    is_truth: bool | None,
) -> MotTable:
    """Make columns of N rows of nine numbers, given how many columns each had."""
    confidence = np.where(cells[:, _CONFIDENCE] == -1, math.nan, cells[:, _CONFIDENCE])
    category = _told(cells[:, _CLASS], widths < _MOST)
    visibility = _told(cells[:, _VISIBILITY], widths == _TRUTH_WIDTH)
    of_truth = ~np.isnan(visibility) if is_truth is None else np.full(len(cells), is_truth)
    whole = cells[:, :2].astype(np.int64)
    return MotTable(
        lines,
        whole[:, 0],
        whole[:, 1],
        cells[:, 2:_FEWEST],
        np.where(of_truth, math.nan, confidence),
        category,
        visibility,
        of_truth & (confidence == 0),
    )


def _told(
    values: npt.NDArray[np.float64], is_there: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return values, NaN where they are not there or negative, which stands for unknown."""
    return np.where(is_there & (values >= 0), values, math.nan)
