from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reidcore.data.images.resize import RESIZERS, Pixels, resized

SIDE = st.integers(1, 90)


def _noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=200, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.integers(0, 9))
def test_every_size_to_every_size_is_pillows_or_close_to_it(
    height: int, width: int, new_height: int, new_width: int, seed: int
) -> None:
    pixels = _noise(height, width, seed)
    image = Image.fromarray(pixels)
    expected = np.asarray(image.resize((new_width, new_height), Image.Resampling.BILINEAR))
    by_pillow = resized(pixels, new_height, new_width, "pillow")
    np.testing.assert_array_equal(by_pillow, expected)
    sharper = image.resize((new_width, new_height), Image.Resampling.BICUBIC)
    bicubic = resized(pixels, new_height, new_width, "pillow_bicubic")
    np.testing.assert_array_equal(bicubic, np.asarray(sharper))
    by_torch = resized(pixels, new_height, new_width, "torch")
    assert by_torch.dtype == np.uint8
    assert np.abs(by_torch.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("resizer", RESIZERS)
def test_extremes_stay_in_range(resizer: str) -> None:
    pixels = np.zeros((50, 50, 3), dtype=np.uint8)
    pixels[::2] = 255
    assert resized(np.full_like(pixels, 255), 333, 17, resizer).min() == 255
    assert resized(pixels, 49, 51, resizer).max() <= 255


@pytest.mark.parametrize("resizer", RESIZERS)
def test_views_with_gaps_are_taken(resizer: str) -> None:
    pixels = _noise(40, 30)
    np.testing.assert_array_equal(
        resized(pixels[:, ::-1], 64, 32, resizer), resized(pixels[:, ::-1].copy(), 64, 32, resizer)
    )


@pytest.mark.parametrize("resizer", RESIZERS)
def test_an_image_that_pillow_owns_is_taken_without_a_warning(resizer: str) -> None:
    owned = np.asarray(Image.fromarray(_noise(40, 30)))
    assert not owned.flags.writeable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resized(owned, 20, 10, resizer).shape == (20, 10, 3)


@pytest.mark.parametrize("resizer", RESIZERS)
def test_an_image_of_the_size_wanted_stays_as_it_is(resizer: str) -> None:
    pixels = _noise(40, 30)
    assert resized(pixels, 40, 30, resizer) is pixels
