"""Frames and videos whose pixels say which frame they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 64, 48


def frame(number: int) -> np.ndarray:
    """Return a frame (h, w, 3) of one grey that tells its number."""
    return np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)


def number_in(picture: Path) -> int:
    """Return which frame a crop was cut from."""
    return round(np.asarray(Image.open(picture)).mean() / 10)


@pytest.fixture
def write_frames():
    """Write frames as images; their names count from ``first``."""

    def write(folder: Path, count: int, first: int = 1, name: str = "{:06d}.png") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(frame(number)).save(folder / name.format(number + first))
        return folder

    return write


@pytest.fixture
def write_video():
    """Write a video of so many frames."""

    def write(file: Path, count: int) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
        for number in range(count):
            writer.write(frame(number))
        writer.release()
        return file

    return write
