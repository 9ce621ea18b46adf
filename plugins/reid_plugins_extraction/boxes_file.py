"""Boxes of a video as text: one row a box, in MOTChallenge's form.

A row is ``frame, id, left, top, width, height``, perhaps followed by ``confidence`` and more, which
trackers and detectors write alike. Frames are counted from 1, and an id of -1 is of a detection
that no track has (Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, quoted

_COLUMNS = "frame, id, left, top, width, height, confidence"
_LEAST, _TAKEN = 6, 7
_SEPARATOR = re.compile(r"[,;\s]+")


@dataclass(frozen=True, eq=False)
class BoxTable:
    """N boxes in the order of their frames.

    Attributes:
        frames: (N,) from 1.
        tracks: (N,), -1 where no track is known.
        boxes: (N, 4) left, top, width and height in pixels.
        confidence: (N,), 1 where the file does not tell it.
    """

    frames: npt.NDArray[np.int64]
    tracks: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)


def read_boxes(path: Path) -> BoxTable:
    """Read boxes; rows of one frame keep their order.

    Raises:
        DataError: if the file cannot be read, has no boxes, or a row is none.
    """
    rows = np.array(list(_rows(path)), dtype=np.float64).reshape(-1, _TAKEN)
    if not len(rows):
        raise DataError(f"{str(path)!r} has no boxes", f"Each row is: {_COLUMNS}.")
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    whole = rows[:, :2].astype(np.int64)
    return BoxTable(whole[:, 0], whole[:, 1], rows[:, 2:6], rows[:, 6])


def _rows(path: Path) -> Iterator[list[float]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                cells = _SEPARATOR.split(line.strip().strip(",;"))
                is_heading = number == 1 and cells[0].lower().startswith("frame")
                if cells != [""] and not is_heading:
                    yield _numbers(f"line {number} of {str(path)!r}", cells)
    except OSError as error:
        told = f"the boxes {str(path)!r} cannot be read: {error.strerror or error}"
        raise DataError(told, "Check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is no text", f"Each row is: {_COLUMNS}.") from error


def _numbers(where: str, cells: list[str]) -> list[float]:
    """Return a row as seven numbers.

    Raises:
        DataError: if it is of another form.
    """
    hint = f"The columns are: {_COLUMNS}."
    if len(cells) < _LEAST:
        raise DataError(f"{where} has {len(cells)} columns, and not {_LEAST} or more", hint)
    try:
        numbers = [float(cell) for cell in cells[:_TAKEN]]
    except ValueError as error:
        raise DataError(f"{where} is no row of numbers: {quoted(' '.join(cells))}", hint) from error
    frame, track = numbers[:2]
    if not np.isfinite(numbers[:_LEAST]).all() or frame % 1 or track % 1:
        raise DataError(f"{where} has no whole frame and id, or no finite box", hint)
    if frame < 1:
        raise DataError(f"{where} is of frame {frame:g}", "Frames are counted from 1.")
    return numbers if len(numbers) == _TAKEN else [*numbers, 1.0]
