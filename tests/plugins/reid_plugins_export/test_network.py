"""What is folded into an exported network, and what its images must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_export.network import FeatureNetwork

from reidcore.errors import UserError
from reidcore.testing import TinyNet

SIZE, MEAN, STD = (64, 32), (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def network(preprocess="none", normalise=False):
    torch.manual_seed(0)
    return FeatureNetwork(TinyNet(3).eval(), SIZE, MEAN, STD, preprocess, normalise)


def picture(height, width, seed=0):
    """Return smooth colours with noise on them, (height, width, 3) bytes."""
    draws = np.random.default_rng(seed)
    coarse = Image.fromarray(draws.integers(0, 256, (12, 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int64)
    return (smooth + draws.integers(-20, 21, smooth.shape)).clip(0, 255).astype(np.uint8)


def test_each_way_of_preprocessing_ends_in_the_same_features() -> None:
    pixels = torch.from_numpy(picture(*SIZE))[None]  # (1, height, width, 3)
    unit = pixels.movedim(-1, 1) / 255
    normalised = (unit - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    wanted = network("none")(normalised)
    torch.testing.assert_close(network("mean_std")(unit), wanted)
    torch.testing.assert_close(network("full")(pixels), wanted)


@pytest.mark.parametrize("size", [(150, 60), (64, 32), (40, 90), (65, 33), (320, 100), (30, 12)])
def test_the_resize_is_within_one_of_pillows(size) -> None:
    pixels = picture(*size)
    resized = network("full")._resized(torch.from_numpy(pixels)[None])[0].movedim(0, -1).numpy()
    pillow = Image.fromarray(pixels).resize(SIZE[::-1], Image.Resampling.BILINEAR)
    assert np.abs(resized - np.asarray(pillow, np.float32)).max() <= 1


def test_unit_length_is_folded_in() -> None:
    images = network().example(4)
    features = network(normalise=True)(images)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(features, torch.nn.functional.normalize(network()(images)))


@pytest.mark.parametrize(
    ("preprocess", "takes", "kind"),
    [
        ("none", "normalised", torch.float32),
        ("mean_std", "unit_range", torch.float32),
        ("full", "bytes", torch.uint8),
    ],
)
def test_examples_are_what_it_takes(preprocess, takes, kind) -> None:
    made = network(preprocess)
    assert made.takes == takes
    for count in (1, 2, 7):
        images = made.example(count)
        assert (len(images), images.dtype) == (count, kind)
        assert torch.equal(images, made.example(count))
    sizes = {made.example(count).shape[1:3] for count in (1, 2, 7)}
    assert len(sizes) == (3 if preprocess == "full" else 1)


def test_an_unknown_way_is_told() -> None:
    with pytest.raises(UserError, match=r"preprocess='all'.*none, mean_std, full"):
        network("all")
