"""Frames of noise, in a video without loss and in a folder of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

FRAMES = np.random.default_rng(0).integers(0, 256, (6, 48, 64, 3), dtype=np.uint8)


@pytest.fixture
def pixels() -> np.ndarray:
    """The frames of the video, (6, 48, 64, 3), RGB."""
    return FRAMES


@pytest.fixture
def write_video() -> Callable[..., Path]:
    def write(file: Path, count: int = len(FRAMES), codec: str = "FFV1") -> Path:
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*codec), 10, (64, 48))
        for frame in FRAMES[:count]:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()
        return file

    return write


@pytest.fixture
def write_frames() -> Callable[..., Path]:
    """Write frames as images; their names count from ``first``."""

    def write(folder: Path, count: int = 3, first: int = 1, name: str = "{:06d}.png") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(FRAMES[number]).save(folder / name.format(number + first))
        return folder

    return write
