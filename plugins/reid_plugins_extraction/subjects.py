"""What features are extracted of: the rows of a table, each an image or a box of a frame."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from reid_plugins_tracks.frames import frames_by_number
from reid_plugins_tracks.mot import read_mot
from reid_plugins_tracks.pictures import read_frames
from reid_plugins_tracks.videos import is_stream

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
        is_live: whether the images come once alone, so that nobody can go on with them later.
    """

    kind: tuple[str, str]
    fault: str
    is_live: bool

    def __len__(self) -> int:
        """Return N."""
        ...

    def record(self) -> dict[str, str]:
        """Return what tells these rows, and the files that they are read from, from others."""
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
    is_live = False

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def record(self) -> dict[str, str]:
        """Return the hash of the files' names, sizes and times."""
        return {"images": _digest(self._paths)}

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
        table: the file of the boxes, in MOTChallenge's form.

    Raises:
        DataError: if there are no boxes, or no frames.
    """

    kind = ("box", "boxes")
    fault = "not in the frames"

    def __init__(self, source: str, table: Path) -> None:
        rows = read_mot(table, is_truth=False)
        self._table = rows.take(np.argsort(rows.frames, kind="stable"))
        self._pictures = frames_by_number(source, np.unique(rows.frames).tolist())
        self._source, self._boxes = source, table
        self.is_live = is_stream(source)

    def __len__(self) -> int:
        return len(self._table)

    def record(self) -> dict[str, str]:
        """Return the hash of the file of boxes, and that of the frames' files."""
        if self.is_live:
            frames = self._source
        else:
            files = (getattr(picture, "video", picture) for picture in self._pictures.values())
            frames = _digest(sorted({*map(str, files)}))
        return {"boxes": hashlib.sha256(self._boxes.read_bytes()).hexdigest(), "frames": frames}

    def images(self, rows: Sequence[int], on_bad: OnBad) -> Iterator[Row]:
        """Yield the crops, reading each frame once."""
        of_frame: dict[int, list[int]] = {}
        for row in rows:
            of_frame.setdefault(int(self._table.frames[row]), []).append(row)
        for number, frame, reason in read_frames(self._pictures, list(of_frame)):
            own = of_frame.pop(number)
            if frame is not None:
                yield from self._crops(frame, own, on_bad)
            else:
                for row in own:
                    on_bad(row, UserError(reason))

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
        confidence = table.confidence[rows]
        return {
            "frame": table.frames[rows],
            "track": table.tracks[rows],
            "box": table.boxes[rows],
            "confidence": np.where(np.isnan(confidence), 1.0, confidence),  # 1 if it is not told
        }


def _digest(paths: Sequence[str]) -> str:
    """Return a hash of files, which another of the same name changes: of names, sizes and times."""
    found = hashlib.sha256()
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - of a million files
            told = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0"
        except OSError:
            told = f"{path}\0\0"
        found.update(told.encode(errors="surrogateescape"))
    return found.hexdigest()
