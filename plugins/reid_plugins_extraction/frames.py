"""Frames of a video, a stream or a folder, in their order, and only those that are wanted."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.data import UnreadableImageError, find_image_files, leave_out, read_image
from reidcore.errors import DataError, quoted

Pixels = npt.NDArray[np.uint8]

_log = logging.getLogger(f"reidcore.{__name__}")

_NUMBER = re.compile(r"(\d+)\D*$")


def is_stream(source: str) -> bool:
    """Say whether a source is the address of a stream, such as ``rtsp://camera/1``."""
    return re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE) is not None


def wanted_frames(source: str, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    """Yield the frames of some numbers; those that cannot be had are left out.

    Args:
        source: a video, the address of a stream, or a folder of images whose names end in the
            frame's number.
        numbers: of frames, from 1, ascending.

    Yields:
        The number, and the frame (H, W, 3) as RGB.

    Raises:
        DataError: if the source cannot be read.
    """
    if not is_stream(source) and Path(source).is_dir():
        return _images(Path(source), numbers)
    return _video(source, numbers)


def _images(folder: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    files: dict[int, Path] = {}
    odd = []
    for name in find_image_files(folder).files:
        found = _NUMBER.search(Path(name).stem)
        if found and int(found[1]) not in files:
            files[int(found[1])] = folder / name
        else:
            odd.append(name)
    leave_out(odd, "images", "without a number of their own in their names")
    if not files:
        raise DataError(f"{str(folder)!r} has no images with numbers in their names")
    damaged = []
    for number in numbers:
        if number not in files:
            continue
        try:
            frame = np.asarray(read_image(files[number]))
        except UnreadableImageError:
            damaged.append(files[number].name)
            continue
        yield number, frame
    leave_out(damaged, "frames", "unreadable")


def _video(source: str, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    video, opencv = _opened(source)
    try:
        ahead = 1  # the number of the frame that is read next
        for number in numbers:
            while ahead < number and video.grab():
                ahead += 1
            is_read, frame = video.read() if ahead == number else (False, None)
            if not is_read:
                _log.warning("%s ends before frame %d", quoted(source), ahead)
                return
            ahead += 1
            yield number, opencv.cvtColor(frame, opencv.COLOR_BGR2RGB)
    finally:
        video.release()


def _opened(source: str) -> tuple[Any, Any]:
    """Return OpenCV's reader of a video, and OpenCV.

    Raises:
        DataError: if it cannot be opened.
    """
    try:
        import cv2
    except ImportError as error:
        raise DataError(
            f"OpenCV, which reads videos, cannot be loaded: {error}",
            "'reidcore env' says which library it needs.",
        ) from error
    video = cv2.VideoCapture(source)
    if not video.isOpened():
        is_there = is_stream(source) or Path(source).is_file()
        raise DataError(
            f"{quoted(source)} is no video that OpenCV reads",
            "Convert it, or give its frames as images."
            if is_there
            else "There is no such file or folder.",
        )
    return video, cv2
