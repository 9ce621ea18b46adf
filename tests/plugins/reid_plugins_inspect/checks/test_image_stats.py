from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.checks.image_stats import examine

COUNT = 60


def soft(seed: int) -> Image.Image:
    """Make a grainy picture of which neighbouring parts are hardly different."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(100, 156, (6, 4, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((64, 128), Image.Resampling.BICUBIC), dtype=np.float64)
    grainy = smooth + rng.normal(0, 6, smooth.shape)
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: image.resize((62, 124)),
        lambda image: image.resize((32, 64)),
        lambda image: image.point(lambda level: min(255, level * 1.1)),
    ],
    ids=["recompressed", "a little smaller", "half as large", "brighter"],
)
def test_most_copies_of_soft_pictures_have_nearly_the_hashes_of_the_originals(
    tmp_path: Path, change: Callable[[Image.Image], Image.Image]
) -> None:
    paths = [str(tmp_path / f"{kind}{seed}.jpg") for kind in "ab" for seed in range(COUNT)]
    for seed, (path, copy) in enumerate(zip(paths[:COUNT], paths[COUNT:], strict=True)):
        soft(seed).save(path, quality=95)
        change(soft(seed)).save(copy, quality=70)
    image_stats, unreadable = examine(paths)
    assert not unreadable
    near = np.ones(COUNT, dtype=np.bool_)
    for name in ("across", "down"):
        near &= np.bitwise_count(image_stats[name][:COUNT] ^ image_stats[name][COUNT:]) <= 3
        others = image_stats[name][:COUNT] ^ np.roll(image_stats[name][:COUNT], 1)
        assert np.bitwise_count(others).mean() > 12
    assert near.mean() >= 0.8


def test_a_plain_picture_grows_brighter_nowhere(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{level}.png") for level in (0, 77, 255)]
    for level, path in zip((0, 77, 255), paths, strict=True):
        Image.new("RGB", (50, 91), (level, level, level)).save(path)
    image_stats, _ = examine(paths)
    assert not image_stats["across"].any()
    assert not image_stats["down"].any()
