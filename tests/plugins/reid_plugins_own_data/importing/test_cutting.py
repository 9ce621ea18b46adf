"""Boxes to pixels, and crops to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_own_data import Crop
from reid_plugins_own_data.importing.cutting import write_crops
from reid_plugins_own_data.importing.files import ImageFiles
from reid_plugins_own_data.importing.labels import labelled


@pytest.fixture
def picture(tmp_path) -> Path:
    """A picture whose pixel (x, y) is (x, y, 0)."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(60), np.arange(40)[:, None]
    Image.fromarray(pixels).save(tmp_path / "frame.png")
    return tmp_path / "frame.png"


def write(crops, folder, margin=0.0, min_size=(1, 1), ending=".png") -> list[str]:
    rows = write_crops(labelled(crops), ImageFiles(folder, ending), margin, min_size)
    return [row.path for row in rows]


def test_crops_hold_the_pixels_of_their_boxes(picture, tmp_path) -> None:
    crop = Crop(picture, "1", box=(10, 5, 20, 8))
    (path,) = write([crop], tmp_path / "out", margin=0.5)
    pixels = np.asarray(Image.open(tmp_path / "out" / path))
    assert pixels.shape == (16, 40, 3)
    assert (pixels[0, 0] == (0, 1, 0)).all()
    assert (pixels[-1, -1] == (39, 16, 0)).all()


@pytest.mark.parametrize(
    ("box", "margin", "corner", "size"),
    [
        ((-5, 20, 30, 20), 0, (0, 20), (25, 20)),  # what lies outside is cut off
        ((50, 30, 20, 20), 0.5, (40, 20), (20, 20)),  # of the margin too
        ((10.4, 20.6, 2.2, 2.2), 0, (10, 21), (3, 2)),  # sides are rounded
        ((61, 0, 9, 9), 0.5, None, None),  # a margin brings no box into the frame
        ((60, 0, 9, 9), 0, None, None),
        ((10, 10, 0.2, 9), 0, None, None),
        ((10, 10, 0, 9), 0.5, None, None),
    ],
)
def test_boxes_are_clipped_to_whole_pixels(picture, tmp_path, box, margin, corner, size) -> None:
    paths = write([Crop(picture, "1", box=box)], tmp_path / "out", margin=margin)
    assert len(paths) == (corner is not None)
    for path in paths:
        with Image.open(tmp_path / "out" / path) as image:
            assert (image.size, image.getpixel((0, 0))[:2]) == (size, corner)


def test_jpeg_files_keep_colours_at_full_size(picture, tmp_path) -> None:
    (path,) = write([Crop(picture, "1", box=(0, 0, 60, 40))], tmp_path / "out", ending=".jpg")
    with Image.open(tmp_path / "out" / path) as image:
        assert image.format == "JPEG"
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
        decoded = np.asarray(image).astype(int)
    assert np.abs(decoded - np.asarray(Image.open(picture)).astype(int)).max() <= 8


def test_a_frame_is_decoded_once_for_all_its_boxes(picture, tmp_path, monkeypatch) -> None:
    from reid_plugins_tracks import pictures

    read = []
    whole = pictures.read_pixels
    monkeypatch.setattr(
        pictures, "read_pixels", lambda path, **how: read.append(path) or whole(path, **how)
    )
    crops = [Crop(picture, str(pid), box=(pid, 0, 5, 5)) for pid in range(9)]
    assert len(write(crops, tmp_path / "out")) == 9
    assert len(read) == 1


def test_what_cannot_be_cut_or_read_is_told_by_reason(picture, tmp_path, caplog) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(picture.read_bytes()[:60])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    crops = [
        Crop(picture, "1", box=(70, 0, 9, 9)),
        Crop(picture, "2", box=(55, 0, 9, 9)),
        Crop(damaged, "3", box=(0, 0, 9, 9)),
        Crop(tmp_path / "nothing.png", "4"),
        Crop(text, "5"),
        Crop(picture, "6"),
    ]
    assert write(crops, tmp_path / "out", min_size=(6, 6)) == ["images/6/frame.png"]
    assert "1 crop left out (their boxes hold no pixel of the frame)" in caplog.text
    assert "smaller than" not in caplog.text  # which was asked for, and is no warning
    assert "1 crop left out (their frames cannot be read: " in caplog.text
    assert "2 crops left out (they cannot be read)" in caplog.text


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_a_file_that_is_no_image_is_not_taken(picture, tmp_path, caplog, content) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(content)
    assert write([Crop(bad, "1"), Crop(picture, "2")], tmp_path / "out") == ["images/2/frame.png"]
    assert f"1 crop left out (they cannot be read): '{bad}'" in caplog.text


def test_the_margin_makes_no_box_large_enough(picture, tmp_path, caplog) -> None:
    caplog.set_level("INFO")
    crops = [Crop(picture, pid, box=(10, 10, width, 9)) for pid, width in (("1", 5), ("2", 6))]
    paths = write(crops, tmp_path / "out", margin=0.5, min_size=(6, 6))
    assert paths == ["images/2/frame.png"]
    assert "1 crop left out (smaller than 6x6 pixels)" in caplog.text


def test_a_picture_upright_for_viewers_is_cut_as_they_show_it(picture, tmp_path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a viewer turns it by a quarter
    with Image.open(picture) as image:
        image.save(tmp_path / "turned.jpg", exif=turned, quality=100, subsampling=0)
    (path,) = write([Crop(tmp_path / "turned.jpg", "1", box=(0, 0, 40, 60))], tmp_path / "out")
    with Image.open(tmp_path / "out" / path) as cut:
        assert cut.size == (40, 60)
