"""What features are extracted of: the rows of a table, each an image or a box of a frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from reid_plugins_extraction.boxes_file import read_boxes
from reid_plugins_extraction.frames import wanted_frames
from reidcore.errors import UserError
from reidcore.inference import cut_crops

Rows = npt.NDArray[np.int64]
OnBad = Callable[[int, UserError], None]


class Row(NamedTuple):
    """A row's image, as an extractor takes it."""

    row: int
    image: Any


class Subjects(Protocol):
    """N rows, of which features are extracted.

    Attributes:
        kind: what one row is called, and several are.
        fault: what rows without an image are.
        digest: tells these rows from others.
    """

    kind: tuple[str, str]
    fault: str
    digest: str

    def __len__(self) -> int:
        """Return N."""
        ...

    def images(self, rows: Sequence[int], on_bad: OnBad) -> Iterator[Row]:
        """Yield the images of some rows, ascending; those without one are told by ``on_bad``."""
        ...

    def name(self, row: int) -> str:
        """Return what a row is called in a message."""
        ...

    def columns(self, rows: Rows) -> dict[str, npt.NDArray[Any]]:
        """Return what is written beside the features of some rows."""
        ...


class Files:
    """Image files.

    Args:
        paths: N of them.
    """

    kind = ("image", "images")
    fault = "unreadable"

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self.digest = hashlib.sha256("\0".join(paths).encode(errors="surrogateescape")).hexdigest()

    def __len__(self) -> int:
        return len(self._paths)

    def images(self, rows: Sequence[int], on_bad: OnBad) -> Iterator[Row]:
        """Yield the paths: the extractor opens them."""
        return (Row(row, self._paths[row]) for row in rows)

    def name(self, row: int) -> str:
        """Return the path."""
        return self._paths[row]

    def columns(self, rows: Rows) -> dict[str, npt.NDArray[Any]]:
        """Return ``paths``."""
        return {"paths": np.array([self._paths[row] for row in rows], dtype=str)}


class Boxes:
    """The boxes of a video.

    Args:
        source: a video, a stream or a folder of frames.
        table: the file of the boxes.
    """

    kind = ("box", "boxes")
    fault = "not in the frames"

    def __init__(self, source: str, table: Path) -> None:
        self._source = source
        self._table = read_boxes(table)
        told = hashlib.sha256(table.read_bytes())
        told.update(source.encode(errors="surrogateescape"))
        self.digest = told.hexdigest()

    def __len__(self) -> int:
        return len(self._table)

    def images(self, rows: Sequence[int], on_bad: OnBad) -> Iterator[Row]:
        """Yield the crops, reading each frame once."""
        of_frame: dict[int, list[int]] = {}
        for row in rows:
            of_frame.setdefault(int(self._table.frames[row]), []).append(row)
        for number, frame in wanted_frames(self._source, list(of_frame)):
            yield from self._crops(frame, of_frame.pop(number), on_bad)
        for missing in of_frame.values():
            for row in missing:
                on_bad(row, UserError("no such frame, or an unreadable one"))

    def _crops(self, frame: npt.NDArray[np.uint8], rows: list[int], on_bad: OnBad) -> Iterator[Row]:
        empty = set()

        def note(place: int, error: UserError) -> None:
            empty.add(rows[place])
            on_bad(rows[place], UserError("outside, or of no area"))

        crops = cut_crops(frame, self._table.boxes[rows], "ltwh", on_bad=note)
        kept = [row for row in rows if row not in empty]
        # Copies: a view would hold its whole frame for as long as it waits.
        return (Row(row, crop.copy()) for row, crop in zip(kept, crops, strict=True))

    def name(self, row: int) -> str:
        """Return its frame and track."""
        return f"frame {self._table.frames[row]}, id {self._table.tracks[row]}"

    def columns(self, rows: Rows) -> dict[str, npt.NDArray[Any]]:
        """Return ``frame``, ``track``, ``box`` (left, top, width, height) and ``confidence``."""
        table = self._table
        return {
            "frame": table.frames[rows],
            "track": table.tracks[rows],
            "box": table.boxes[rows],
            "confidence": table.confidence[rows],
        }
