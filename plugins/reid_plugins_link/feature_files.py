"""Features of crops in files: those that a run of ours left, or that ``reidcore extract`` wrote.

A file has ``features`` (C, D), ``frame`` and ``track``, and where it is of several cameras
``camera``; ``quality`` weighs the crops, and is 1 where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from reid_plugins_runs.feature_files import read_columns

from reid_plugins_link.cameras import unknown_camera
from reid_plugins_link.crops import Crops, box_quality
from reid_plugins_link.features import Described, unit_length
from reid_plugins_link.tracklets import Tracklets
from reidcore.data import leave_out
from reidcore.errors import DataError

Columns = Mapping[str, npt.NDArray[Any]]

_SPELLINGS = {
    "features": ("features", "feature", "embedding", "embeddings"),
    "frame": ("frame", "frames"),
    "track": ("track", "tracks", "track_id", "id"),
    "camera": ("camera", "cameras"),
    "quality": ("quality",),
}


def write_features(file: IO[bytes], described: Described, tracklets: Tracklets) -> None:
    """Write what was looked at, so that tracks can be joined anew without their frames."""
    crops = described.crops
    camera = tracklets.camera[crops.tracklet]
    frames = np.empty(len(crops), dtype=np.int64)
    for number, boxes in enumerate(tracklets.boxes):
        own = camera == number
        frames[own] = boxes.frames[crops.row[own]]
    np.savez(
        file,
        features=described.features,
        camera=np.array(tracklets.cameras)[camera],
        track=tracklets.track[crops.tracklet],
        frame=frames,
        quality=crops.quality,
    )


def read_described(words: Sequence[str], tracklets: Tracklets) -> Described:
    """Read the features of crops.

    Args:
        words: files, or ``CAMERA=FILE`` of what ``reidcore extract`` wrote for one camera.
        tracklets: the tracks that they are of; rows of others are left out, which is told.

    Raises:
        UserError: if a file is missing, damaged, lacks a column, or is of another model's features.
    """
    found = [_read(word, tracklets) for word in words]
    widths = {each.features.shape[1]: word for each, word in zip(found, words, strict=True)}
    if len(widths) > 1:
        told = ", ".join(f"{name!r} of {width}" for width, name in widths.items())
        raise DataError(
            f"the features differ in width: {told}", "Extract those of all cameras by one model."
        )
    crops = Crops(
        np.concatenate([each.crops.tracklet for each in found]),
        np.concatenate([each.crops.row for each in found]),
        np.concatenate([each.crops.quality for each in found]),
    )
    return Described(crops, np.concatenate([each.features for each in found]))


def _read(word: str, tracklets: Tracklets) -> Described:
    name, sign, rest = word.partition("=")
    path = Path(rest if sign and not Path(word).exists() else word)
    columns = _standard(read_columns(path), path)
    names = columns.get("camera")
    if names is None:
        camera = name if str(path) != word else path.stem
        if camera not in tracklets.cameras:
            raise unknown_camera(camera, dict.fromkeys(tracklets.cameras), f"{word!r}")
        names = np.full(len(columns["track"]), camera)
    features = columns["features"]
    if features.ndim != 2 or not np.isfinite(features).all():
        raise DataError(f"the features in {str(path)!r} are no finite vectors (C, D)")
    kept, tracklet, row = _places(names, columns, tracklets, path)
    if "quality" in columns:
        quality = columns["quality"][kept].astype(np.float64)
    else:
        of_boxes = [box_quality(boxes) for boxes in tracklets.boxes]
        cameras = tracklets.camera[tracklet]
        quality = np.array([of_boxes[k][r] for k, r in zip(cameras, row, strict=True)])
    return Described(Crops(tracklet, row, quality), unit_length(features[kept]))


def _standard(columns: Columns, path: Path) -> Columns:
    """Return the columns by our names for them.

    Raises:
        DataError: if one is missing.
    """
    found = {
        name: columns[spelling]
        for name, spellings in _SPELLINGS.items()
        for spelling in spellings
        if spelling in columns
    }
    for name in ("features", "frame", "track"):
        if name not in found:
            raise DataError(
                f"{str(path)!r} has no column {name!r}, but {', '.join(columns)}",
                "Features of tracks are written by: reidcore extract VIDEO --boxes TRACKS",
            )
    return found


def _places(
    names: npt.NDArray[Any], columns: Columns, tracklets: Tracklets, path: Path
) -> tuple[npt.NDArray[np.int64], ...]:
    """Return which rows of a file are of our tracks, of which track, and of which of its boxes."""
    known = tracklets.find()
    kept, tracklet, row, foreign = [], [], [], []
    rows_of = zip(names.tolist(), columns["track"].tolist(), columns["frame"].tolist(), strict=True)
    for place, (name, track, frame) in enumerate(rows_of):
        own = known.get((str(name), int(track)))
        box = None if own is None else _row(tracklets, own, int(frame))
        if own is None or box is None:
            foreign.append(f"{name}/{track} in frame {frame}")
        else:
            kept.append(place)
            tracklet.append(own)
            row.append(box)
    leave_out(foreign, "features", f"of no box of these tracks, in {path}", total=len(names))
    if not kept:
        raise DataError(f"no feature in {str(path)!r} is of these tracks", "Check the two files.")
    return np.array(kept), np.array(tracklet), np.array(row)


def _row(tracklets: Tracklets, tracklet: int, frame: int) -> int | None:
    """Return which of its camera's boxes a track has in a frame."""
    rows = tracklets.rows(tracklet)
    frames = tracklets.boxes[tracklets.camera[tracklet]].frames[rows]
    place = int(np.searchsorted(frames, frame))
    is_there = place < len(frames) and frames[place] == frame
    return rows.start + place if is_there else None
