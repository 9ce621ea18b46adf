from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidcore.data.sample import Sample, Splits

MakeTree = Callable[..., Path]
MakeTracklets = Callable[..., Splits]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Write train/, query/ and gallery/ of small noise images; return their folder."""

    def make(
        name: str = "shop",
        train: dict[int, int] | None = None,
        test: dict[int, int] | None = None,
        cameras: int = 3,
    ) -> Path:
        rng = np.random.default_rng(len(name))
        folder = tmp_path / name
        splits = {"train": train or {}, "query": test or {}, "gallery": test or {}}
        for split, ids in splits.items():
            (folder / split).mkdir(parents=True)
            for pid, count in ids.items():
                for number in range(count):
                    pixels = rng.integers(0, 256, (24, 12, 3), dtype=np.uint8)
                    file = f"{pid:04d}_c{number % cameras + 1}_{number:03d}.png"
                    Image.fromarray(pixels).save(folder / split / file)
        return folder

    return make


@pytest.fixture
def make_tracklets(tmp_path: Path) -> MakeTracklets:
    """Write tracklets of given lengths, one for each camera; frame n is grey of the value n."""

    def make(
        name: str = "walk",
        train: dict[int, list[int]] | None = None,
        test: dict[int, list[int]] | None = None,
    ) -> Splits:
        def write(split: str, people: dict[int, list[int]]) -> list[Sample]:
            folder = tmp_path / name / split
            folder.mkdir(parents=True)
            samples = []
            for pid, lengths in people.items():
                for camera, length in enumerate(lengths):
                    frames = [folder / f"{pid:04d}_c{camera}_{n:03d}.png" for n in range(length)]
                    for number, path in enumerate(frames):
                        Image.new("RGB", (4, 8), (number,) * 3).save(path)
                    samples.append(Sample(tuple(map(str, frames)), pid, camera))
            return samples

        test = test or {}
        return Splits(write("train", train or {}), write("query", test), write("gallery", test))

    return make
