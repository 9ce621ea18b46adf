"""All tracks of all cameras in one table, on one clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from reid_plugins_tracks.videos import frame_rate

from reid_plugins_link.boxes import Boxes, Float64, Int64, read_boxes
from reid_plugins_link.cameras import Camera
from reid_plugins_link.network import Clock, Network
from reidcore.errors import UserError


@dataclass(frozen=True, eq=False)
class Tracklets:
    """T tracks, in the order in which they begin.

    Attributes:
        cameras: names of the cameras.
        boxes: the boxes of each camera.
        camera: (T,) the number of each track's camera.
        track: (T,) its number within the camera.
        first: (T,) its first row among the camera's boxes.
        last: (T,) its last row; its rows lie together.
        start: (T,) when it begins, in seconds of the common clock.
        end: (T,) when it ends.
    """

    cameras: Sequence[str]
    boxes: Sequence[Boxes]
    camera: Int64
    track: Int64
    first: Int64
    last: Int64
    start: Float64
    end: Float64

    def __len__(self) -> int:
        return len(self.track)

    def name(self, tracklet: int) -> str:
        """Return what a track is called: its camera and its number there."""
        return f"{self.cameras[self.camera[tracklet]]}/{self.track[tracklet]}"

    def rows(self, tracklet: int) -> slice:
        """Return the rows of a track among its camera's boxes."""
        return slice(int(self.first[tracklet]), int(self.last[tracklet]) + 1)

    def of_boxes(self, camera: int) -> Int64:
        """Return (N,) which track each box of a camera is of."""
        found = np.empty(len(self.boxes[camera]), dtype=np.int64)
        for tracklet in np.flatnonzero(self.camera == camera):
            found[self.rows(int(tracklet))] = tracklet
        return found

    def find(self) -> dict[tuple[str, int], int]:
        """Return (camera, its number there) -> track."""
        names = [self.cameras[camera] for camera in self.camera]
        return {
            key: place for place, key in enumerate(zip(names, self.track.tolist(), strict=True))
        }


def read_tracklets(cameras: Sequence[Camera], network: Network, fps: float | None) -> Tracklets:
    """Read the tracks of all cameras.

    Args:
        cameras: where they are.
        network: when each camera began, and how many frames a second it recorded.
        fps: frames a second of the cameras of which nothing tells it.

    Raises:
        DataError: if a file is no tracks.
        UserError: if nothing tells how many frames a second a camera recorded.
    """
    boxes = [read_boxes(camera.tracks) for camera in cameras]
    clocks = {camera.name: _clock(camera, network.clocks, fps) for camera in cameras}
    return gather([camera.name for camera in cameras], boxes, clocks)


def gather(
    cameras: Sequence[str], boxes: Sequence[Boxes], clocks: Mapping[str, tuple[float, float]]
) -> Tracklets:
    """Make one table of the boxes of all cameras.

    Args:
        cameras: their names.
        boxes: of each of them.
        clocks: camera -> frames a second, and when frame 1 was recorded, in seconds.
    """
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    for number, (name, own) in enumerate(zip(cameras, boxes, strict=True)):
        tracks, first, counts = np.unique(own.tracks, return_index=True, return_counts=True)
        last = first + counts - 1
        rate, start = clocks[name]
        begin, end = (start + (own.frames[rows] - 1) / rate for rows in (first, last))
        of_camera = (np.full(len(tracks), number), tracks, first, last, begin, end)
        for column, values in zip(columns, of_camera, strict=True):
            column.append(values)
    camera, track, first, last, begin, end = map(np.concatenate, columns)
    order = np.lexsort((track, camera, begin))
    return Tracklets(
        cameras,
        boxes,
        camera[order],
        track[order],
        first[order],
        last[order],
        begin[order],
        end[order],
    )


def _clock(camera: Camera, clocks: Mapping[str, Clock], fps: float | None) -> tuple[float, float]:
    """Return frames a second and the start of a camera: what is given goes before what is found."""
    clock = clocks.get(camera.name, Clock())
    rate = clock.fps or camera.fps or fps or _fps_of_video(camera.frames)
    if rate is None:
        raise UserError(
            f"nothing tells how many frames a second the camera {camera.name!r} recorded",
            f"Give --fps N, or cameras: {{{camera.name}: {{fps: N}}}} in the file of --network.",
        )
    return rate, clock.start


def _fps_of_video(frames: Path | None) -> float | None:
    return None if frames is None or frames.is_dir() else frame_rate(frames)


def paths_of(cameras: Sequence[Camera]) -> dict[str, Path]:
    """Return camera -> its frames, of those that have any."""
    return {camera.name: camera.frames for camera in cameras if camera.frames is not None}
