"""Frames of a camera, read in their order: from a folder of images or from a video."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reidcore.data import find_image_files, leave_out, read_image
from reidcore.errors import DataError, UserError

Pixels = npt.NDArray[np.uint8]

_NUMBER = re.compile(r"(\d+)\D*$")


def read_frames(source: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    """Yield the frames of some numbers.

    Args:
        source: a folder of images, whose names end in the frame's number, or a video.
        numbers: of frames, base 1, ascending.

    Yields:
        The number and the frame (H, W, 3), RGB. What a video does not have is left out.

    Raises:
        DataError: if the source cannot be read, or a folder lacks a frame.
    """
    return _images(source, numbers) if source.is_dir() else _video(source, numbers)


def fps_of(source: Path | None) -> float | None:
    """Return how many frames a second a video has; None of what is no video."""
    if source is None or source.is_dir():
        return None
    import cv2

    video = cv2.VideoCapture(str(source))
    rate = video.get(cv2.CAP_PROP_FPS) if video.isOpened() else 0.0
    video.release()
    return float(rate) if rate > 0 else None


def _images(folder: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    files = _numbered(folder)
    for number in numbers:
        if number not in files:
            raise DataError(
                f"{str(folder)!r} has no image of frame {number}, but of {min(files)} to "
                f"{max(files)}",
                "Are these the frames that were tracked? Frames are counted from 1.",
            )
        yield number, np.asarray(read_image(files[number]))


def _numbered(folder: Path) -> dict[int, str]:
    """Return frame -> file; the last number in a file's name is that of its frame."""
    files: dict[int, str] = {}
    nameless = []
    for name in find_image_files(folder).files:
        found = _NUMBER.search(Path(name).stem)
        if found is None:
            nameless.append(name)
            continue
        number = int(found[1])
        if number in files:
            raise DataError(
                f"{Path(files[number]).name!r} and {name!r} in {str(folder)!r} are both frame "
                f"{number}",
                "Name a folder of one camera's frames.",
            )
        files[number] = str(folder / name)
    leave_out(nameless, "images", "without a number in their names", expected=True)
    if not files:
        raise DataError(f"{str(folder)!r} has no images with numbers in their names")
    return files


def _video(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    import cv2

    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise UserError(f"{str(path)!r} is no video that OpenCV reads", "Check the file.")
        ahead = 1  # the number of the frame that is read next
        for number in numbers:
            while ahead < number and video.grab():
                ahead += 1
            is_read, frame = video.read()
            if not is_read:
                return
            ahead = number + 1
            yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    finally:
        video.release()
