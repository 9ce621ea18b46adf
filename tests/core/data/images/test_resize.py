from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reidcore.data.images import resize

SIDE = st.integers(1, 90)


@settings(max_examples=200, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.integers(0, 9))
def test_every_size_to_every_size_is_pillows(
    height: int, width: int, new_height: int, new_width: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    expected = np.asarray(image.resize((new_width, new_height), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(resize.resized(pixels, new_height, new_width), expected)


def test_extremes_stay_in_range() -> None:
    pixels = np.zeros((50, 50, 3), dtype=np.uint8)
    pixels[::2] = 255
    assert resize.resized(np.full_like(pixels, 255), 333, 17).min() == 255
    assert resize.resized(pixels, 49, 51).max() <= 255


def test_views_with_gaps_are_taken() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        resize.resized(pixels[:, ::-1], 64, 32), resize.resized(pixels[:, ::-1].copy(), 64, 32)
    )


class Wrong:
    """A kernel whose bytes are not Pillow's."""

    @staticmethod
    def resize(source: Any, target: Any, columns_first: bool) -> None:
        target[:] = 7


@pytest.mark.parametrize("kernel", [None, Wrong])
def test_without_a_kernel_that_agrees_pillow_resizes(
    monkeypatch: pytest.MonkeyPatch, kernel: Any
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    expected = resize.resized(pixels, 64, 32)
    monkeypatch.setattr(resize, "compiled", lambda: kernel)
    resize._kernel_and_order.cache_clear()
    try:
        assert resize._kernel_and_order()[0] is None
        np.testing.assert_array_equal(resize.resized(pixels, 64, 32), expected)
    finally:
        resize._kernel_and_order.cache_clear()


def test_the_kernel_refuses_what_are_no_images() -> None:
    kernel = resize.compiled()
    if kernel is None:
        pytest.skip("not compiled here")
    good = np.zeros((4, 4, 3), dtype=np.uint8)
    for bad in (np.zeros((4, 4, 4), dtype=np.uint8), np.zeros((0, 4, 3), dtype=np.uint8)):
        with pytest.raises(ValueError, match="images"):
            kernel.resize(bad, good.copy(), False)
        with pytest.raises(ValueError, match="images"):
            kernel.resize(good, bad.copy(), False)
