"""Videos and streams: which sources they are, how they are opened, what they say of themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reidcore.errors import DataError, quoted

if TYPE_CHECKING:
    import cv2

__all__ = [
    "VIDEO_ENDINGS",
    "VideoFrame",
    "frame_count",
    "frame_rate",
    "is_stream",
    "is_video",
    "opened_video",
]

VIDEO_ENDINGS = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mjpeg", ".ts", ".wmv",
)  # fmt: skip
"""Endings of the files that are taken for videos."""

_FRAME_RATE, _FRAME_COUNT = 5, 7  # cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT
_MANY = 1 << 40
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class VideoFrame(NamedTuple):
    """A frame of a video.

    Attributes:
        video: the file, or the address of a stream.
        position: of the frame, counted from 0.
    """

    video: Path | str
    position: int


def is_video(path: Path) -> bool:
    """Say whether a path is a video's, by its name."""
    return path.suffix.lower() in VIDEO_ENDINGS and path.is_file()


def is_stream(source: str | Path) -> bool:
    """Say whether a source is the address of a stream, such as ``rtsp://camera/1``."""
    return isinstance(source, str) and _ADDRESS.match(source) is not None


def frame_count(video: Path) -> int:
    """Return how many frames a video has by its header, which may be wrong; many if it is mute."""
    count = int(_property(video, _FRAME_COUNT))
    return count if count > 0 else _MANY


def frame_rate(video: Path) -> float | None:
    """Return how many frames a second a video has; None if it does not say."""
    rate = _property(video, _FRAME_RATE)
    return rate if rate > 0 else None


def opened_video(source: str | Path) -> cv2.VideoCapture:
    """Return OpenCV's reader of a video or stream, before its first frame.

    It turns frames upright, as the file asks for. Whoever asks releases it.

    Raises:
        DataError: it cannot be opened, or OpenCV cannot be loaded.
    """
    try:
        import cv2
    except ImportError as error:
        raise DataError(
            f"OpenCV, which reads videos, cannot be loaded: {error}",
            "'reidcore env' says which library it needs.",
        ) from error
    reader = cv2.VideoCapture(str(source))
    if not reader.isOpened():
        raise _unopened(source)
    return reader


def _property(video: Path, number: int) -> float:
    reader = opened_video(video)
    value = float(reader.get(number))
    reader.release()
    return value


def _unopened(source: str | Path) -> DataError:
    if is_stream(source):
        return DataError(
            f"the stream {quoted(source)} cannot be opened",
            "Check its address, and that it is running.",
        )
    if not Path(source).is_file():
        return DataError(f"there is no video {str(source)!r}", "Check the path.")
    return DataError(
        f"the video {str(source)!r} cannot be opened",
        "It has no pictures, is damaged, or is of a codec that OpenCV was built without: convert "
        "it, or give its frames as images.",
    )
