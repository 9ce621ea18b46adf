from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_standard.transforms.flip import RandomFlip
from reid_plugins_standard.transforms.jitter import ColorJitter

from reidcore.errors import ConfigError


def test_half_of_the_images_are_mirrored(torchreid_transforms: Mapping[str, np.ndarray]) -> None:
    pixels = torchreid_transforms["image2"]
    flip = RandomFlip(64, 32)
    random.seed(0)
    mirrored = 0
    for _ in range(400):
        made = np.asarray(flip(Image.fromarray(pixels)))
        if np.array_equal(made, pixels[:, ::-1]):
            mirrored += 1
        else:
            np.testing.assert_array_equal(made, pixels)
    assert abs(mirrored - 200) < 5 * np.sqrt(100)


def test_jitter_stays_within_torchreids_amounts(statistics: dict[str, Any]) -> None:
    jitter = ColorJitter(64, 32)
    recorded = statistics["color_jitter"]
    assert recorded == {"brightness": 0.2, "contrast": 0.15, "saturation": 0, "hue": 0}
    # Of one colour, so that contrast changes nothing and brightness shows alone.
    gray = Image.new("RGB", (4, 4), (100, 100, 100))
    torch.manual_seed(0)
    made = np.array([np.asarray(jitter(gray))[0, 0] for _ in range(300)])
    assert (made == made[:, :1]).all()
    assert 79 <= made.min() < 85
    assert 115 < made.max() <= 120


def test_jitter_options() -> None:
    still = ColorJitter(64, 32, brightness=0, contrast=0)
    image = Image.new("RGB", (4, 4), (10, 100, 200))
    assert np.array_equal(np.asarray(still(image)), np.asarray(image))
    with pytest.raises(ConfigError, match="color_jitter"):
        ColorJitter(64, 32, hue=0.7)
