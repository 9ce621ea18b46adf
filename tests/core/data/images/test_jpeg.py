from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reidcore.data.images.decode import jpeg_decoder, read_image, read_pixels
from reidcore.data.images.jpeg import read_header
from reidcore.data.images.reading import UnreadableImageError


def _file(mode: str = "RGB", size: tuple[int, int] = (45, 67), **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (9, 99, 199)).convert(mode).save(written, "JPEG", **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (_file(), True),
        (_file("L"), True),
        (_file(progressive=True), True),
        (_file("CMYK"), False),
        (_file(keep_rgb=True), False),
        (_file() + b"\0", False),
        (_file()[:-2], False),
        (b"", False),
        (b"\xff\xd8\xff\xd9", False),
        (b"\xff\xd8\xff" * 20 + b"\xff\xd9", False),
    ],
)
def test_grey_and_ycbcr_files_are_told_from_others(file: bytes, expected: bool) -> None:
    assert (read_header(file) is not None) is expected


def test_an_image_of_implausible_size_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 45 * 67)
    assert read_header(_file())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 45 * 67 - 1)
    assert not read_header(_file())


def _claiming(side: int, progressive: bool = False) -> bytes:
    """Return a small file whose header says that it is a large square."""
    file = _file(progressive=progressive)
    place = file.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    return file[: place + 5] + side.to_bytes(2) * 2 + file[place + 9 :]


def _hiding(side: int, bare: int) -> bytes:
    """Return a file with two frames: which one a decoder sees depends on what it skips.

    After a marker without a length, libjpeg seeks the next marker and finds the large frame, and
    behind it an APP1 segment around the small one. Who takes the next bytes for a length skips
    those and finds the small frame.
    """
    small, large = _file(), _claiming(side)
    start, end = small.index(b"\xff\xc0"), small.index(b"\xff\xc0") + 19
    hidden = large[start:end] + b"\xff\xe1\x00\x15"
    length = (2 + len(hidden)).to_bytes(2)
    marker = bytes([0xFF, bare])
    return small[:start] + marker + length + hidden + small[start:end] + small[end:]


@pytest.mark.parametrize("bare", [0x01, 0xD0, 0xD7])
def test_a_frame_hidden_behind_a_marker_without_a_length_is_none_to_rely_on(
    tmp_path: Path, bare: int
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_hiding(12_000, bare))
    assert read_header(path.read_bytes()) is None
    with pytest.raises(UnreadableImageError):
        read_pixels(str(path))


def test_a_second_frame_and_a_segment_without_content_are_no_plain_file() -> None:
    file = _file()
    frame = file.index(b"\xff\xc0")
    assert read_header(file[:frame] + file[frame : frame + 19] + file[frame:]) is None
    assert read_header(file[:2] + b"\xff\xfe\x00\x01" + file[2:]) is None


@pytest.mark.parametrize("pillow", [1 << 20, 89_478_485, None])
@pytest.mark.parametrize(("side", "progressive"), [(9_500, False), (65_500, False), (65_500, True)])
@pytest.mark.parametrize("draft", [None, (64, 32)])
def test_every_road_refuses_a_header_of_too_many_pixels_before_it_decodes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    side: int,
    progressive: bool,
    draft: tuple[int, int] | None,
    pillow: int | None,
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_claiming(side, progressive))
    jpeg_decoder()  # which is decided by decoding something
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillow)
    monkeypatch.setattr(Image.Image, "load", None)  # nothing is decoded
    reads = [read_image, lambda name: read_pixels(name, draft)]
    for read in reads:
        with pytest.raises(UnreadableImageError, match=r"at most|larger than the"):
            read(str(path))


def test_the_blocks_of_exif_are_put_together() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = _file(exif=exif)
    header = read_header(file)
    assert header is not None
    assert (header.height, header.width) == (67, 45)
    with Image.open(io.BytesIO(file)) as opened:
        assert header.exif == opened.info["exif"]
    place = file.index(b"\xff\xe1")
    more = b"\xff\xe1\x00\x0cExif\0\0more"
    with Image.open(io.BytesIO(file[:place] + more + file[place:])) as opened:
        expected = opened.info["exif"]
    header = read_header(file[:place] + more + file[place:])
    assert header is not None
    assert header.exif == expected


def test_what_is_read_is_the_size_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file())
    assert np.shape(read_pixels(str(path))) == (67, 45, 3)
