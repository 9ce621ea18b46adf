"""Videos: which files they are, and how they are opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reidcore.errors import DataError

if TYPE_CHECKING:
    import cv2

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mjpeg", ".ts", ".wmv")
"""Endings of the files that are taken for videos."""

_FRAME_COUNT = 7  # cv2.CAP_PROP_FRAME_COUNT
_MANY = 1 << 40


def is_video(path: Path) -> bool:
    """Say whether a path is a video's, by its name."""
    return path.suffix.lower() in VIDEOS and path.is_file()


def frame_count(video: Path) -> int:
    """Return how many frames a video has by its header, which may be wrong; many if it is mute."""
    reader = opened_video(video)
    count = int(reader.get(_FRAME_COUNT))
    reader.release()
    return count if count > 0 else _MANY


def opened_video(video: Path) -> cv2.VideoCapture:
    """Return OpenCV's reader of a video, before its first frame; whoever asks releases it.

    Raises:
        DataError: it cannot be opened, or OpenCV cannot be loaded.
    """
    try:
        import cv2
    except ImportError as error:
        raise DataError(
            f"OpenCV, which reads videos, cannot be loaded: {error}",
            "reidcore env says which library it needs",
        ) from error
    reader = cv2.VideoCapture(str(video))
    if not reader.isOpened():
        raise DataError(
            f"the video {str(video)!r} cannot be opened",
            "It is damaged, or of a codec that OpenCV was built without: convert it, or give its "
            "frames as images",
        )
    return reader
