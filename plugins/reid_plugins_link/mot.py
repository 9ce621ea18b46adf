"""Tracks as text in MOTChallenge's form: one row a box, read with care and written again.

A row is ``frame, id, left, top, width, height, confidence, class, visibility``. The first six are
needed. Trackers write -1 for what they do not know, and up to ten columns; some separate them by
spaces. Frames are counted from 1 (Milan et al., "MOT16: A Benchmark for Multi-Object Tracking",
2016).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from reidcore.data import leave_out
from reidcore.errors import DataError, quoted

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_COLUMNS = "frame, id, left, top, width, height, confidence, class, visibility"
_LEAST, _CONFIDENCE, _VISIBILITY = 6, 6, 8
_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")  # an empty cell is one: what follows does not move up


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one camera, N rows in the order of tracks and frames.

    Attributes:
        frames: (N,) numbers of frames, base 1.
        tracks: (N,) numbers of tracks, or of identities.
        places: (N, 4) left, top, width and height in pixels.
        confidence: (N,) 0 to 1; 1 where the file does not tell it.
        visibility: (N,) 0 to 1, likewise.
    """

    frames: Int64
    tracks: Int64
    places: Float64
    confidence: Float64
    visibility: Float64

    def __len__(self) -> int:
        return len(self.frames)


def read_mot(path: Path, *, is_truth: bool = False) -> Boxes:
    """Read the boxes of one camera.

    Args:
        path: the file.
        is_truth: whether it is ground truth, whose seventh column says which rows count: those with
            0 are left out.

    Raises:
        DataError: if the file is missing, empty, or a row is none of a track.
    """
    rows = np.array(list(_rows(path)), dtype=np.float64).reshape(-1, 10)
    if not len(rows):
        raise DataError(f"{str(path)!r} has no boxes", f"Each row is: {_COLUMNS}.")
    rows, lines = rows[:, 1:], rows[:, 0].astype(np.int64)
    _check(path, rows, lines)
    keep = (rows[:, 4:6] > 0).all(axis=1)
    leave_out([f"{path}:{line}" for line in lines[~keep]], "rows", "boxes without area")
    if not keep.any():
        raise DataError(f"{str(path)!r} has boxes without area alone", f"A row is: {_COLUMNS}.")
    if is_truth:
        keep &= rows[:, _CONFIDENCE] != 0
    rows = rows[keep]
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    whole = rows[:, :2].astype(np.int64)
    shares = [_share(rows[:, column]) for column in (_CONFIDENCE, _VISIBILITY)]
    ones = np.ones(len(rows))
    confidence = ones if is_truth else shares[0]
    return Boxes(whole[:, 0], whole[:, 1], rows[:, 2:6], confidence, shares[1])


def write_mot(file: IO[bytes], boxes: Boxes, identities: Int64) -> None:
    """Write boxes in the order of frames, with the identities (N,) in place of their tracks."""
    order = np.lexsort((identities, boxes.frames))
    for row in order.tolist():
        left, top, width, height = boxes.places[row].tolist()
        file.write(
            f"{boxes.frames[row]},{identities[row]},{left:.2f},{top:.2f},{width:.2f},{height:.2f},"
            f"{boxes.confidence[row]:.3f},-1,-1,-1\n".encode()
        )


def _rows(path: Path) -> Iterator[list[float]]:
    """Yield each row as its line's number and nine numbers, of which those not told are -1."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                cells = _SEPARATOR.split(line.strip().rstrip(",; \t"))
                is_heading = number == 1 and cells[0].lower().startswith("frame")
                if cells != [""] and not is_heading:
                    yield [number, *_numbers(path, number, cells)]
    except OSError as error:
        raise DataError(
            f"the tracks {str(path)!r} cannot be read: {error.strerror or error}", "Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is no text", f"Tracks are rows of: {_COLUMNS}.") from error


def _numbers(path: Path, line: int, cells: list[str]) -> list[float]:
    if len(cells) < _LEAST:
        raise DataError(
            f"line {line} of {str(path)!r} has {len(cells)} columns, where a track's row has at "
            f"least {_LEAST}",
            f"They are: {_COLUMNS}.",
        )
    try:
        numbers = [float(cell) for cell in cells[:9]]
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise DataError(
            f"line {line} of {str(path)!r} has {quoted(wrong)} where a number stands",
            f"The columns are: {_COLUMNS}.",
        ) from None
    return numbers + [-1.0] * (9 - len(numbers))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check(path: Path, rows: Float64, lines: Int64) -> None:
    """Refuse rows that are of no track: the first line at fault is named."""
    whole = rows[:, :2]
    faults: list[tuple[Any, str, str]] = [
        (~np.isfinite(rows[:, :6]).all(axis=1), "holds no finite numbers", "Leave it out."),
        ((whole % 1 != 0).any(axis=1), "has a frame or id that is not whole", "Check the columns."),
        (whole[:, 0] < 1, "is of a frame before 1", "Frames are counted from 1: add 1 to each."),
        (
            whole[:, 1] < 0,
            "has no id, as detections have none",
            "Give the output of a tracker, whose second column says who it is.",
        ),
    ]
    for is_wrong, what, hint in faults:
        if is_wrong.any():
            line = lines[np.flatnonzero(is_wrong)[0]]
            raise DataError(f"line {line} of {str(path)!r} {what}", hint)
    _, first, counts = np.unique(whole, axis=0, return_index=True, return_counts=True)
    if (counts > 1).any():
        row = first[np.flatnonzero(counts > 1)[0]]
        frame, track = whole[row].astype(int)
        raise DataError(
            f"{str(path)!r} has track {track} twice in frame {frame} (first in line {lines[row]})",
            "A track is in one place at a time: is this the output of one camera?",
        )


def _share(values: Float64) -> Float64:
    """Return values clipped to 1, and 1 where they are negative, which stands for unknown."""
    known: Float64 = np.where((values < 0) | np.isnan(values), 1.0, np.minimum(values, 1.0))
    return known
