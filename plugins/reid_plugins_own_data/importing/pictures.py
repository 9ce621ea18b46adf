"""Pixels of crops: each image file and each frame of a video is decoded once, in its order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reid_plugins_own_data.crop import Crop, VideoFrame
from reid_plugins_own_data.importing.labels import Labelled
from reid_plugins_own_data.videos import opened_video
from reidcore.data import VIEWER, Pixels, UnreadableImageError, leave_out, read_pixels


class Shown(NamedTuple):
    """A picture and the rows whose crops lie in it.

    Attributes:
        pixels: (h, w, 3), RGB.
        rows: the rows.
    """

    pixels: Pixels
    rows: list[Labelled]


def shown(rows: Sequence[Labelled]) -> Iterator[Shown]:
    """Yield each picture once; those that cannot be read are left out and told.

    Args:
        rows: with pictures in any order; images come first, then videos from start to end.
    """
    in_images: dict[Path, list[Labelled]] = defaultdict(list)
    in_videos: dict[Path, list[Labelled]] = defaultdict(list)
    for row in rows:
        picture = row.crop.picture
        if isinstance(picture, VideoFrame):
            in_videos[picture.video].append(row)
        else:
            in_images[picture].append(row)
    yield from _of_images(in_images)
    for video, some in in_videos.items():
        yield from _of_video(video, some)


def _of_images(in_images: dict[Path, list[Labelled]]) -> Iterator[Shown]:
    unreadable: dict[str, list[Crop]] = defaultdict(list)
    for path in sorted(in_images):
        try:
            pixels = read_pixels(str(path), reading=VIEWER)
        except UnreadableImageError as error:
            unreadable[error.reason].extend(row.crop for row in in_images[path])
            continue
        yield Shown(pixels, in_images[path])
    for reason, crops in unreadable.items():
        leave_out(crops, "crops", f"their frames cannot be read: {reason}")


def _of_video(video: Path, rows: list[Labelled]) -> Iterator[Shown]:
    by_position = groupby(sorted(rows, key=_position), _position)
    wanted = [(position, list(some)) for position, some in by_position]
    reader = opened_video(video)
    place, shown_before = 0, 0
    unreadable: list[Crop] = []
    try:
        for position, some in wanted:
            while place < position and reader.grab():
                place += 1
            if place < position or not reader.grab():
                break
            place, shown_before = place + 1, shown_before + 1
            is_read, pixels = reader.retrieve()
            if is_read:
                yield Shown(np.asarray(pixels[..., ::-1], dtype=np.uint8), some)
            else:
                unreadable.extend(row.crop for row in some)
    finally:
        reader.release()
    leave_out(unreadable, "crops", "their frames cannot be read")
    beyond = [row.crop for _, some in wanted[shown_before:] for row in some]
    leave_out(beyond, "crops", f"the video {str(video)!r} ends before, after {place} frames")


def _position(row: Labelled) -> int:
    picture = row.crop.picture
    return picture.position if isinstance(picture, VideoFrame) else 0
