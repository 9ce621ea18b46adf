from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reidcore.data.images import jpeg
from reidcore.data.images.decode import UnreadableImageError, read_image, read_pixels


def _file(mode: str = "RGB", size: tuple[int, int] = (45, 67), **options: Any) -> bytes:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (7, 5, 3), dtype=np.uint8))
    written = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(written, "JPEG", **options)
    return written.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 5, "optimize": True}])
def test_the_pixels_are_those_of_read_image(tmp_path: Path, mode: str, options: Any) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file(mode, **options))
    np.testing.assert_array_equal(read_pixels(str(path)), np.asarray(read_image(path)))


@pytest.mark.parametrize("end", [0, 1, 3, 100, 400, -20, -2])
def test_a_cut_file_is_as_unreadable_as_pillow_finds_it(tmp_path: Path, end: int) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file()[:end])
    try:
        expected = np.asarray(read_image(path))
    except UnreadableImageError as error:
        with pytest.raises(UnreadableImageError, match=re.escape(str(error))):
            read_pixels(str(path))
    else:
        np.testing.assert_array_equal(read_pixels(str(path)), expected)


def test_other_formats_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2), (1, 2, 3)).save(path)
    assert read_pixels(str(path)).tolist() == [[[1, 2, 3]] * 3] * 2
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_pixels(str(tmp_path / "b.jpg"))


def test_a_draft_is_smaller_but_not_too_small(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file(size=(200, 400)))
    assert read_pixels(str(path)).shape == (400, 200, 3)
    assert read_pixels(str(path), draft=(100, 50)).shape == (100, 50, 3)
    assert read_pixels(str(path), draft=(120, 50)).shape == (200, 100, 3)


@pytest.mark.parametrize(
    "decoder", [None, lambda file, mode, rotate: __import__("torch").zeros(3, 51, 37)]
)
def test_a_decoder_that_is_missing_or_disagrees_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, decoder: Any
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file())
    monkeypatch.setattr(jpeg, "_decoder", lambda: decoder)
    jpeg.agrees_with_pillow.cache_clear()
    try:
        assert jpeg.decoded(np.frombuffer(bytearray(_file()), dtype=np.uint8)) is None
        np.testing.assert_array_equal(read_pixels(str(path)), np.asarray(read_image(path)))
    finally:
        jpeg.agrees_with_pillow.cache_clear()
