from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from reidcore.data.images.orientation import orientation_in, upright

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3, 3), dtype=np.uint8)


def _block(entries: list[tuple[int, int, int]], order: Any = "big") -> bytes:
    """Return an EXIF block of (tag, type, value)."""
    start = b"MM\0*" if order == "big" else b"II*\0"
    words = [start, (8).to_bytes(4, order), len(entries).to_bytes(2, order)]
    for tag, kind, value in entries:
        words += [tag.to_bytes(2, order), kind.to_bytes(2, order), (1).to_bytes(4, order)]
        words += [value.to_bytes(2, order), b"\0\0"]
    return b"".join(words)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("name", [b"", b"Exif\0\0"])
def test_an_image_is_turned_as_pillow_turns_it(orientation: int, order: Any, name: bytes) -> None:
    block = name + _block([(0x010F, 2, 7), (0x0112, 3, orientation)], order)
    assert orientation_in(block) == orientation
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(written, "PNG", exif=exif)
    with Image.open(written) as opened:
        assert orientation_in(opened.info["exif"]) == orientation
        expected = np.asarray(ImageOps.exif_transpose(opened))
    turned = upright(PIXELS, orientation)
    np.testing.assert_array_equal(turned, expected)
    assert turned.flags.c_contiguous
    assert (orientation >= 5) is (turned.shape != PIXELS.shape)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff",
        b"no exif at all",
        _block([]),
        _block([(0x0112, 3, 0)]),
        _block([(0x0112, 3, 9)]),
        _block([(0x0112, 3, 6)])[:-3],
        _block([(0x0111, 3, 6)] * 3)[:-14],
    ],
)
def test_a_block_that_says_nothing_or_nonsense_leaves_the_image_as_it_is(block: bytes) -> None:
    assert orientation_in(block) == 1
    assert upright(PIXELS, 1) is PIXELS
