from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image
from reid_plugins_standard.transforms.crop import RandomCrop

from reidcore.data.images.resize import Pixels
from reidcore.data.transforms.resize import ImageSource
from reidcore.errors import ConfigError


def test_a_cut_out_is_torchreids_at_the_same_offset(
    torchreid_transforms: Mapping[str, np.ndarray],
) -> None:
    crop = RandomCrop(64, 32)
    image = Image.fromarray(torchreid_transforms["image1"])
    cases = zip(
        torchreid_transforms["r2d_p1_offsets_yx"].tolist(),
        torchreid_transforms["r2d_p1_64x32"],
        strict=True,
    )
    for (top, left), expected in cases:
        np.testing.assert_array_equal(np.asarray(crop.at(image, left, top)), expected)


def test_offsets_are_uniform_with_both_borders() -> None:
    class Recorded(RandomCrop):
        def cut(self, source: ImageSource, left: int, top: int) -> Pixels:
            offsets.append((left, top))
            return source.pixels()

    offsets: list[tuple[int, int]] = []
    crop = Recorded(256, 128, p=1)
    random.seed(0)
    for _ in range(8000):
        crop(Image.new("RGB", (1, 1)))
    for axis, largest in ((0, 16), (1, 32)):
        counts = Counter(offset[axis] for offset in offsets)
        assert set(counts) == set(range(largest + 1))
        share = 1 / (largest + 1)
        bound = 5 * np.sqrt(8000 * share * (1 - share))
        assert max(abs(count - 8000 * share) for count in counts.values()) < bound


def test_half_of_the_images_are_resized_plainly(
    torchreid_transforms: Mapping[str, np.ndarray],
) -> None:
    image = Image.fromarray(torchreid_transforms["image2"])
    plain = torchreid_transforms["resized_u8_64x32_image2"]
    random.seed(0)
    crop = RandomCrop(64, 32)
    same = sum(np.array_equal(np.asarray(crop(image)), plain) for _ in range(600))
    assert abs(same - 300) < 5 * np.sqrt(150)


def test_shrinking_is_refused() -> None:
    with pytest.raises(ConfigError, match="Give 1 to 10"):
        RandomCrop(64, 32, enlarge=0.9)
