from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reid_plugins_standard.transforms.patch import RandomPatch

BLACK = Image.new("RGB", (64, 128))


@pytest.fixture
def donors(tmp_path: Path) -> list[str]:
    """Three donors of one colour each, of sizes unlike the image's."""
    paths = []
    for number, size in enumerate([(20, 31), (64, 128), (300, 200)]):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", size, (50 * (number + 1), 200, 100)).save(path)
        paths.append(str(path))
    return paths


def test_patches_come_from_the_whole_training_set(donors: list[str]) -> None:
    patch = RandomPatch(128, 64, p=1, p_rotate=0).with_training_images(donors)
    random.seed(0)
    seen = {tuple(colour) for _ in range(40) for colour in _colours(patch(BLACK))}
    assert seen == {(0, 0, 0), (50, 200, 100), (100, 200, 100), (150, 200, 100)}
    assert not np.asarray(BLACK).any()


def _colours(image: Image.Image) -> Any:
    return np.unique(np.asarray(image).reshape(-1, 3), axis=0).tolist()


def test_rates_and_areas_are_torchreids(donors: list[str], statistics: dict[str, Any]) -> None:
    recorded = statistics["random_patch"]
    patch = RandomPatch(128, 64, p_rotate=0).with_training_images(donors[:1])
    random.seed(0)
    areas = np.array([(np.asarray(patch(BLACK)).any(2)).mean() for _ in range(3000)])
    pasted = areas[areas > 0]
    assert abs((areas > 0).mean() - recorded["applied_rate_after_warmup"]) < 0.05
    assert abs(pasted.mean() - recorded["pasted_area_mean"]) < 0.02
    quantiles = np.quantile(pasted, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(quantiles, recorded["pasted_area_quantiles"], atol=0.035)


def test_a_patch_is_cut_where_it_lies_at_the_image_s_size(tmp_path: Path) -> None:
    # The donor's left half is white: at the image's size, white stays as wide as the half.
    donor = Image.new("RGB", (200, 100))
    donor.paste((255, 255, 255), (0, 0, 100, 100))
    donor.save(tmp_path / "donor.png")
    patch = RandomPatch(128, 64, p=1, area=(0.9, 0.95), ratio=(1.9, 2.1), p_flip=0, p_rotate=0)
    random.seed(2)
    pasted = np.asarray(patch.with_training_images([str(tmp_path / "donor.png")])(BLACK))
    white = (pasted[:, :, 0] > 128).any(0).sum()
    assert 26 <= white <= 33


def test_without_a_training_set_or_a_readable_donor_an_image_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no image")
    green = Image.new("RGB", (64, 128), (0, 200, 0))
    for bound in ((), [str(tmp_path / "broken.png")]):
        patch = RandomPatch(128, 64, p=1, p_rotate=0).with_training_images(bound)
        random.seed(0)
        assert all(_colours(patch(green)) == [[0, 200, 0]] for _ in range(10))


def test_small_and_odd_images_do_not_crash(donors: list[str]) -> None:
    patch = RandomPatch(8, 4, p=1).with_training_images(donors)
    random.seed(0)
    for size in ((1, 1), (2, 40), (40, 2), (7, 9)) * 30:
        assert patch(Image.new("RGB", size)).size == size
