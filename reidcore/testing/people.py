"""Pictures of people for tests: every person a colour, every picture some noise on it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from reidcore.data import Sample, Splits

NOISE = 40
"""How far a pixel may be from its person's colour, of 255."""


def fake_dataset(
    folder: str | os.PathLike[str],
    *,
    ids: int = 6,
    cameras: int = 2,
    images: int = 2,
    height: int = 32,
    width: int = 16,
    train: str | None = "train",
    query: str | None = "query",
    gallery: str | None = "gallery",
    name: str = "{pid:04d}_c{camid}_{image:06d}.png",
    seed: int = 0,
) -> Splits:
    """Write a small dataset that a network can learn, the same one every time.

    Identities 1 to ``ids`` are those of training, the ``ids`` after them those of query and
    gallery; cameras count from 1. With the names as they are, ``data.from_folders(folder)`` reads
    it back.

    Args:
        folder: gets a folder for each split.
        ids: identities to learn from, and as many others to find.
        cameras: cameras that see each of them.
        images: pictures by each camera, in each split.
        height: of a picture, in pixels.
        width: of a picture, in pixels.
        train: name of the training folder; None leaves the split out.
        query: name of the query folder; None leaves the split out.
        gallery: name of the gallery folder; None leaves the split out.
        name: of a picture, from ``pid``, ``camid`` and ``image``.
        seed: other pictures.

    Returns:
        What was written, in the order of the file names.
    """
    size = (height, width)
    splits = []
    for number, split in enumerate((train, query, gallery)):
        samples = []
        first = 1 if number == 0 else ids + 1
        for pid in range(first, first + ids) if split else ():
            for camid in range(1, cameras + 1):
                for image in range(images):
                    path = Path(folder, str(split), name.format(pid=pid, camid=camid, image=image))
                    _draw(path, size, [seed, pid], [seed, number, pid, camid, image])
                    samples.append(Sample(str(path), pid, camid))
        splits.append(sorted(samples))
    return Splits(*splits)


def _draw(path: Path, size: tuple[int, int], person: list[int], picture: list[int]) -> None:
    colour = np.random.default_rng(person).integers(0, 256, 3)
    noise = np.random.default_rng(picture).integers(-NOISE, NOISE + 1, (*size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(colour + noise, 0, 255).astype(np.uint8)).save(path)
