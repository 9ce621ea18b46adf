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


def test_jitter_with_a_probability_leaves_the_others_to_the_bit() -> None:
    jitter = ColorJitter(64, 32, p=0.5, brightness=(0.5, 2.0), hue=(-0.1, 0.1))
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (300, 4, 4, 3), dtype=np.uint8)
    random.seed(0)
    torch.manual_seed(0)
    drawn = [jitter.make_params(4, 4) for _ in pixels]
    one_by_one = [jitter.transform_pixels(i, d) for i, d in zip(pixels, drawn, strict=True)]
    batch = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2)  # (B, h, w, 3) -> (B, 3, h, w)
    together = jitter.transform(batch, torch.tensor(drawn, dtype=torch.float64))
    np.testing.assert_array_equal(together.permute(0, 2, 3, 1).numpy(), np.stack(one_by_one))
    same = sum(np.array_equal(a, b) for a, b in zip(pixels, one_by_one, strict=True))
    assert abs(same - 150) < 5 * np.sqrt(75)
    factors = [each[4] for each in drawn if each[0] >= 0]
    assert 0.5 <= min(factors) < 0.6
    assert 1.9 < max(factors) <= 2.0
