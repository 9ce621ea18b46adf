"""A tiny extractor, image files and a video with boxes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.inference import FeatureExtractor
from reidcore.testing import TinyNet, TinyWorld, make_plugins

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (6, 48, 64, 3), dtype=np.uint8)
ROWS = [
    "frame,id,left,top,width,height",
    "2 7 10 5 20 30",
    "1,7,4,4,20,30,0.5,1,-1",
    "1,8,40,10,50,30,0.9",
    "",
    "5,-1,0,0,64,48,1",
]


@pytest.fixture(scope="module")
def extractor(tmp_path_factory) -> FeatureExtractor:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.pth"
    torch.save(TinyNet(5).state_dict(), path)
    size = {"image_size": (32, 16), "batch_size": 3}
    plugins = make_plugins(TinyWorld())
    return FeatureExtractor("tinynet", path, device="cpu", verbose=False, plugins=plugins, **size)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(11):
        Image.fromarray(RNG.integers(0, 256, (40, 20, 3), dtype=np.uint8)).save(
            folder / f"{number:02d}.png"
        )
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def pixels() -> np.ndarray:
    """The frames of the video, (6, 48, 64, 3), RGB."""
    return FRAMES


@pytest.fixture(scope="module")
def boxes(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("boxes") / "tracks.txt"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """A video without loss."""
    path = tmp_path_factory.mktemp("video") / "door.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), 10, (64, 48))
    for frame in FRAMES:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


@pytest.fixture(scope="module")
def frame_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("img1")
    for number, frame in enumerate(FRAMES, 1):
        Image.fromarray(frame).save(folder / f"door_{number:06d}.png")
    return folder
