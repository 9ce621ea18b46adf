"""Policies of many small changes: what they do, and where they act."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_standard.transforms import policies
from reid_plugins_standard.transforms.imagenet_policy import CHANGES, PAIRS, original_policy
from torchvision.transforms import v2

from reidcore.data.transforms.build import build_transforms
from reidcore.errors import ConfigError


def _picture(height: int = 24, width: int = 16, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_the_pairs_are_those_that_torchvision_has() -> None:
    theirs = [
        [(name.lower(), p, level or 0) for name, p, level in pair]
        for pair in v2.AutoAugment()._policies
    ]
    mine = [[(o.name.replace("_", ""), o.p, o.level) for o in pair] for pair in PAIRS]
    assert mine == theirs


def test_the_policy_is_timms_to_the_bit() -> None:
    timm = pytest.importorskip("timm.data.auto_augment", reason="timm is not here")
    theirs = timm.auto_augment_transform("original", {"img_mean": (128, 128, 128)})
    changed = 0
    for seed in range(400):
        image = _picture(seed=seed % 7)
        random.seed(seed)
        mine = original_policy(image)
        random.seed(seed)
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs(image)))
        changed += not np.array_equal(np.asarray(mine), np.asarray(image))
    assert changed > 300


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [
        ("posterize", 5, 0b11111100),  # 6 bits of 255
        ("posterize", 8, 0b11111110),
        ("solarize", 5, 0),
        ("invert", 0, 0),
    ],
)
def test_levels_are_the_papers(name: str, level: int, expected: int) -> None:
    white = Image.new("RGB", (2, 2), (255, 255, 255))
    assert (np.asarray(CHANGES[name](white, level)) == expected).all()


def test_colours_are_a_factor_of_the_level() -> None:
    image = Image.new("RGB", (2, 2), (200, 100, 50))
    gray = _pixels(image.convert("L"))[0, 0]
    for level in (0, 2, 4, 8):
        factor = 0.1 + 0.18 * level
        made = _pixels(CHANGES["color"](image, level))[0, 0]
        wanted = np.clip(gray + factor * (np.array([200, 100, 50]) - gray), 0, 255)
        np.testing.assert_allclose(made, wanted, atol=1)


@pytest.mark.parametrize("policy", ["imagenet", "original"])
def test_before_resizing_the_file_is_changed(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[tuple[int, int]] = Counter()

    def noted(image: Image.Image) -> Image.Image:
        seen[image.size] += 1
        return Image.new("RGB", image.size, (10, 20, 30))

    monkeypatch.setattr(policies, "original_policy", noted)
    monkeypatch.setattr(v2, "AutoAugment", lambda policy: noted)
    section = {"p": 0.25, "policy": policy, "before_resize": True}
    train, test = build_transforms(
        16, 8, ["pad_crop", "auto_augment"], auto_augment=section, pad_crop={"padding": 2}
    )
    image = _picture(50, 30)
    random.seed(0)
    made = [train(image) for _ in range(400)]
    assert all(each.shape == (3, 16, 8) for each in made)
    assert list(seen) == [(30, 50)]
    assert abs(seen[30, 50] - 100) < 5 * np.sqrt(75)
    assert test(image).shape == (3, 16, 8)
    assert sum(seen.values()) == seen[30, 50] < 200


def test_what_it_leaves_alone_is_resized_plainly() -> None:
    section = {"p": 0, "before_resize": True}
    train, test = build_transforms(16, 8, ["auto_augment"], auto_augment=section)
    image = _picture(50, 30)
    assert torch.equal(train(image), test(image))


def test_the_changed_file_is_resized_as_the_run_resizes() -> None:
    section: dict[str, Any] = {"p": 1, "policy": "original", "before_resize": True}
    image = _picture(50, 30)
    made = {}
    for resize in ("pillow", "pillow_bicubic"):
        train, _ = build_transforms(
            16, 8, ["auto_augment"], [0, 0, 0], [1 / 255] * 3, resize=resize, auto_augment=section
        )
        random.seed(3)
        made[resize] = train(image).permute(1, 2, 0).round().numpy()
        random.seed(3)
        random.random()
        mode = Image.Resampling.BICUBIC if "bicubic" in resize else Image.Resampling.BILINEAR
        expected = np.asarray(original_policy(image).resize((8, 16), mode))
        np.testing.assert_array_equal(made[resize], expected)
    assert not np.array_equal(*made.values())


@pytest.mark.parametrize("other", ["random_crop", "letterbox", "rand_augment"])
def test_two_that_resize_are_refused(other: str) -> None:
    sections: Any = {name: {"before_resize": True} for name in ("auto_augment", "rand_augment")}
    with pytest.raises(ConfigError, match=f"'auto_augment' and '{other}' both resize"):
        build_transforms(16, 8, ["auto_augment", other], **sections)
