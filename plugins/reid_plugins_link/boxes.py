"""The boxes of one camera's tracks, read with care and written again in MOTChallenge's form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from reid_plugins_tracks.mot import MotTable, read_mot

from reidcore.data import leave_out
from reidcore.errors import DataError

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


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


def read_boxes(path: Path, *, is_truth: bool = False) -> Boxes:
    """Read the boxes of one camera. Boxes without area are left out and told.

    Args:
        path: the file.
        is_truth: whether it is ground truth, of which rows that do not count are passed over.

    Raises:
        DataError: if the file cannot be read, or a row is none of a track.
    """
    table = read_mot(path, is_truth=is_truth)
    _check(path, table)
    keep = (table.boxes[:, 2:] > 0).all(axis=1)
    leave_out([f"{path}:{line}" for line in table.lines[~keep]], "rows", "boxes without area")
    if not keep.any():
        raise DataError(f"{str(path)!r} has boxes without area alone", "Check the columns.")
    own = table.take(keep & ~table.is_ignored)
    own = own.take(np.lexsort((own.frames, own.tracks)))
    return Boxes(own.frames, own.tracks, own.boxes, _share(own.confidence), _share(own.visibility))


def write_boxes(file: IO[bytes], boxes: Boxes, identities: Int64) -> None:
    """Write boxes in the order of frames, with the identities (N,) in place of their tracks."""
    order = np.lexsort((identities, boxes.frames))
    for row in order.tolist():
        left, top, width, height = boxes.places[row].tolist()
        file.write(
            f"{boxes.frames[row]},{identities[row]},{left:.2f},{top:.2f},{width:.2f},{height:.2f},"
            f"{boxes.confidence[row]:.3f},-1,-1,-1\n".encode()
        )


def _check(path: Path, table: MotTable) -> None:
    """Refuse rows that are of no track: the first line at fault is named."""
    repeated = table.repeated()
    faults = [
        (table.frames < 1, "is of a frame before 1", "Frames are counted from 1: add 1 to each."),
        (
            table.tracks < 0,
            "has no id, as detections have none",
            "Give the output of a tracker, whose second column says who it is.",
        ),
        (
            repeated,
            "has a track a second time in one frame",
            "A track is in one place at a time: is this the output of one camera?",
        ),
    ]
    for is_wrong, what, hint in faults:
        if is_wrong.any():
            row = int(np.flatnonzero(is_wrong)[0])
            raise DataError(
                f"line {table.lines[row]} of {str(path)!r} (frame {table.frames[row]}, id "
                f"{table.tracks[row]}) {what}",
                hint,
            )


def _share(values: Float64) -> Float64:
    """Return values clipped to 0 to 1, and 1 where they are unknown."""
    known: Float64 = np.where(np.isnan(values), 1.0, np.clip(values, 0.0, 1.0))
    return known
