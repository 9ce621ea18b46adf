"""Pixels of pictures: each image file and each frame of a video is decoded once, in its order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reid_plugins_tracks.frames import Picture
from reid_plugins_tracks.videos import VideoFrame, is_stream, opened_video
from reidcore.data import VIEWER, Pixels, UnreadableImageError, read_pixels
from reidcore.errors import counted

__all__ = ["Frame", "Shown", "read_frames", "read_pictures"]


class Shown(NamedTuple):
    """A picture, decoded.

    Attributes:
        picture: which one.
        pixels: (h, w, 3) RGB, as a viewer shows it; None where there are none.
        reason: why there are none.
    """

    picture: Picture
    pixels: Pixels | None
    reason: str = ""


class Frame(NamedTuple):
    """An annotated frame, decoded; see `Shown`."""

    number: int
    pixels: Pixels | None
    reason: str = ""


def read_pictures(pictures: Iterable[Picture]) -> Iterator[Shown]:
    """Yield each picture once, with pixels or with the reason why it has none.

    Args:
        pictures: images come first, in this order, then videos, each from start to end.

    Raises:
        DataError: if a video cannot be opened.
    """
    images: dict[Path, None] = {}
    videos: dict[Path | str, set[int]] = defaultdict(set)
    for picture in pictures:
        if isinstance(picture, VideoFrame):
            videos[picture.video].add(picture.position)
        else:
            images[picture] = None
    for image in images:
        try:
            yield Shown(image, read_pixels(str(image), reading=VIEWER))
        except UnreadableImageError as error:
            yield Shown(image, None, error.reason)
    for video, positions in videos.items():
        yield from _of_video(video, sorted(positions))


def read_frames(pictures: Mapping[int, Picture], numbers: Iterable[int]) -> Iterator[Frame]:
    """Yield each of some frames once, those that are not there at first.

    Args:
        pictures: of all annotated frames, by their numbers: see `frames_by_number`.
        numbers: those that are wanted, ascending.

    Raises:
        DataError: if a video cannot be opened.
    """
    wanted: dict[Picture, int] = {}
    for number in numbers:
        if number in pictures:
            wanted[pictures[number]] = number
        else:
            yield Frame(number, None, "no such frame")
    for shown in read_pictures(wanted):
        yield Frame(wanted[shown.picture], shown.pixels, shown.reason)


def _of_video(video: Path | str, positions: Iterable[int]) -> Iterator[Shown]:
    reader = opened_video(video)
    place, is_there = 0, True
    try:
        for position in positions:
            picture = VideoFrame(video, position)
            while is_there and place <= position:
                is_there = reader.grab()
                place += is_there
            if not is_there:
                yield Shown(picture, None, _end(video, place))
                continue
            is_read, pixels = reader.retrieve()
            if is_read:
                yield Shown(picture, np.asarray(pixels[..., ::-1], dtype=np.uint8))
            else:
                yield Shown(picture, None, "it cannot be decoded")
    finally:
        reader.release()


def _end(video: Path | str, count: int) -> str:
    what = f"the stream {video!r} stops" if is_stream(video) else f"the video {str(video)!r} ends"
    return f"{what} before, after {counted(count, 'frame')}"
