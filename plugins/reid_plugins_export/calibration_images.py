"""Images of a dataset as a network takes them, to quantise with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reid_plugins_export.checkpoint import Source
from reid_plugins_export.dataset import Dataset
from reid_plugins_export.network import FeatureNetwork
from reidcore.data import SampleTable, UnreadableImageError, leave_out, read_pixels
from reidcore.errors import DataError

IMAGES = 256
"""How many images activations are measured on."""


def calibration_images(
    dataset: Dataset, source: Source, network: FeatureNetwork, count: int = IMAGES, seed: int = 0
) -> Tensor:
    """Return images that a model learns from or, where there are none, its gallery's.

    Args:
        dataset: where they are drawn from.
        source: says how they are read and resized.
        network: says what they must be.
        count: how many, if there are as many.
        seed: of the draw.

    Raises:
        DataError: if none can be read.
    """
    table = dataset.train if len(dataset.train) else dataset.gallery
    preprocessing = source.extractor.preprocessing
    pictures, bad = [], []
    drawn = _drawn(table, count, seed)
    for path in drawn:
        try:
            pixels = read_pixels(path, reading=preprocessing.reading)
        except UnreadableImageError:
            bad.append(path)
            continue
        pictures.append(preprocessing.resized(pixels))
    leave_out(bad, "images", "unreadable", total=len(drawn))
    if not pictures:
        raise DataError(f"no image of {dataset.name} can be read", "Check the dataset's folder.")
    if network.takes == "normalised":
        return preprocessing.normalised(pictures, torch.device("cpu")).contiguous()
    images = torch.from_numpy(np.stack(pictures))  # (N, height, width, 3) bytes
    return images if network.takes == "bytes" else images.movedim(-1, 1).contiguous() / 255


def _drawn(table: SampleTable, count: int, seed: int) -> list[str]:
    paths = list(table.paths.files())
    chosen = np.random.default_rng(seed).permutation(len(paths))[:count]
    return [paths[place] for place in chosen]
