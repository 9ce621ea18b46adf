"""One rule for files, by either decoder, PIL images and arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from reidcore.data.images.decode import decode_pixels, read_image, read_pixels
from reidcore.data.images.reading import TORCHREID, VIEWER, ImageReading, UnreadableImageError
from reidcore.data.images.rgb import check_size, is_cut, rgb_of_array, rgb_of_picture
from reidcore.errors import DataError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (9, 6, 3), dtype=np.uint8)
GREY16 = RNG.integers(7000, 9041, (9, 6), dtype=np.uint16)


def _saved(path: Path, image: Image.Image, **options: Any) -> str:
    image.save(path, **options)
    return str(path)


def _turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _three(grey: Any) -> Any:
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_viewer_turns_images_upright_and_torchreid_does_not(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    image = Image.fromarray(NOISE).resize((60, 90))
    path = _saved(tmp_path / f"a.{ending}", image, exif=_turned(orientation))
    with Image.open(path) as opened:
        plain, upright = np.asarray(opened), np.asarray(ImageOps.exif_transpose(opened))
    for read in (read_image, lambda path, reading: read_pixels(path, reading=reading)):
        np.testing.assert_array_equal(np.asarray(read(path, TORCHREID)), plain)
        np.testing.assert_array_equal(np.asarray(read(path, VIEWER)), upright)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(rgb_of_picture(opened, VIEWER, "a"), upright)
    # What was turned by then is not turned again.
    np.testing.assert_array_equal(rgb_of_picture(read_image(path, VIEWER), VIEWER, "a"), upright)


def test_a_draft_is_turned_as_well_and_is_not_too_small(tmp_path: Path) -> None:
    image = Image.fromarray(NOISE).resize((400, 200), Image.Resampling.BICUBIC)
    path = _saved(tmp_path / "a.jpg", image, exif=_turned(6))
    assert read_pixels(path, (100, 50), VIEWER).shape == (100, 50, 3)
    assert read_pixels(path, (101, 50), VIEWER).shape == (200, 100, 3)


def _with_alpha(mode: str) -> Image.Image:
    image = Image.fromarray(np.dstack([NOISE, np.full((9, 6), 255, np.uint8)]), "RGBA")
    image.putpixel((2, 1), (10, 20, 30, 0))
    image.putpixel((3, 1), (10, 20, 30, 128))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa"])
def test_a_viewer_shows_white_where_an_image_is_transparent(mode: str) -> None:
    image = _with_alpha(mode)
    seen = rgb_of_picture(image, VIEWER, "a")
    assert seen[1, 2].tolist() == [255] * 3
    assert 255 > seen[1, 3].max() > 120
    np.testing.assert_array_equal(seen[4:], np.asarray(image.convert("RGBA").convert("RGB"))[4:])
    np.testing.assert_array_equal(
        rgb_of_picture(image, TORCHREID, "a"), np.asarray(image.convert("RGB"))
    )


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_single_transparent_colour_is_white_as_well(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (4, 3), (9, 9, 9)).convert(mode)
    hidden = image.getpixel((0, 0))
    image.putpixel((1, 1), 200 if mode != "RGB" else (200, 1, 1))
    path = _saved(tmp_path / "a.png", image, transparency=hidden)
    assert read_pixels(path, reading=VIEWER)[0, 0].tolist() == [255] * 3
    assert read_pixels(path)[0, 0].max() <= 9


def test_sixteen_bits_are_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.png", Image.fromarray(GREY16))
    expected = _three(np.rint(GREY16 / 257))
    assert 27 <= expected.min() < expected.max() <= 35  # all 255 before
    with Image.open(path) as opened:
        assert opened.mode.startswith("I;16")
        found = [
            np.asarray(read_image(path, VIEWER)),
            read_pixels(path, reading=VIEWER),
            read_pixels(path, (4, 4), VIEWER),
            decode_pixels(Path(path).read_bytes(), path, VIEWER),
            rgb_of_picture(opened, VIEWER, "a"),
            rgb_of_array(_three(GREY16), VIEWER, "a"),
        ]
    for pixels in found:
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_one_range_holds_for_every_depth(tmp_path: Path, kind: Any) -> None:
    reading = ImageReading("viewer", (7000, 9040))
    path = _saved(tmp_path / "a.tif", Image.fromarray(GREY16.astype(kind)))
    expected = _three(np.rint((GREY16 - 7000.0) / 2040 * 255))
    np.testing.assert_array_equal(read_pixels(path, reading=reading), expected)
    np.testing.assert_array_equal(rgb_of_array(_three(GREY16), reading, "a"), expected)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_a_mode_of_unknown_depth_is_refused_with_the_key_and_not_skipped(
    tmp_path: Path, kind: Any
) -> None:
    path = _saved(tmp_path / "a.tif", Image.fromarray(GREY16.astype(kind)))
    for reading in (VIEWER, TORCHREID):
        with pytest.raises(DataError, match=r"a\.tif holds .*Set data\.value_range") as caught:
            read_pixels(path, reading=reading)
        assert not isinstance(caught.value, UnreadableImageError)


def test_transparent_values_of_sixteen_bits_are_white(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.png", Image.fromarray(GREY16), transparency=int(GREY16[0, 0]))
    with Image.open(path) as opened:
        assert opened.info["transparency"] == GREY16[0, 0]
    assert read_pixels(path, reading=VIEWER)[0, 0].tolist() == [255] * 3


def _colour_of_16_bits(path: Path) -> str:
    """Write a colour PNG of 16 bits, which Pillow cannot, by OpenCV."""
    cv2 = pytest.importorskip("cv2")
    assert cv2.imwrite(str(path), _three(GREY16))
    return str(path)


def test_of_colours_of_16_bits_pillow_leaves_the_upper_eight(tmp_path: Path) -> None:
    path = _colour_of_16_bits(tmp_path / "a.png")
    with Image.open(path) as opened:
        assert (opened.mode, is_cut(opened)) == ("RGB", True)
    found = read_pixels(path, reading=VIEWER).astype(int)
    assert np.abs(found - _three(np.rint(GREY16 / 257))).max() <= 1
    with pytest.raises(DataError, match=r"upper 8 alone, and data\.value_range"):
        read_pixels(path, reading=ImageReading("viewer", (7000, 9040)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV"])
def test_other_modes_look_alike_in_both(mode: str) -> None:
    image = Image.fromarray(NOISE).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    for reading in (VIEWER, TORCHREID):
        np.testing.assert_array_equal(rgb_of_picture(image, reading, "a"), expected)


def test_a_picture_and_an_array_are_bound_by_the_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    Image.fromarray(NOISE).save(written, "PNG")
    with Image.open(written) as opened:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 53)
        monkeypatch.setattr(Image.Image, "load", None)  # nothing is decoded
        with pytest.raises(UnreadableImageError, match="6x9 pixels, and at most 53"):
            rgb_of_picture(opened, VIEWER, "a")
    with pytest.raises(UnreadableImageError, match="6x9 pixels, and at most 53"):
        rgb_of_array(NOISE, VIEWER, "a")
    with pytest.raises(UnreadableImageError, match="no pixels"):
        check_size(0, 5, "a")


def test_a_picture_that_is_cut_off_is_told_as_a_file_is(tmp_path: Path) -> None:
    path = Path(_saved(tmp_path / "a.png", Image.fromarray(NOISE)))
    path.write_bytes(path.read_bytes()[:-40])
    with Image.open(path) as opened, pytest.raises(UnreadableImageError, match="cannot read"):
        rgb_of_picture(opened, VIEWER, str(path))


def test_a_file_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(UnreadableImageError, match="EPS files are programs"):
        read_pixels(str(path))
