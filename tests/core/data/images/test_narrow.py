from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reidcore.data.images.narrow import narrow_use
from reidcore.data.images.reading import TORCHREID, VIEWER, ImageReading

THERMAL = np.linspace(7000, 9040, 60).reshape(10, 6).astype(np.uint16)


def _files(folder: Path, values: Any, count: int = 3) -> list[str]:
    paths = [str(folder / f"{number}.tif") for number in range(count)]
    for path in paths:
        Image.fromarray(values).save(path)
    return paths


def test_a_sample_that_uses_little_of_its_range_is_told_with_the_key(tmp_path: Path) -> None:
    told = narrow_use(_files(tmp_path, THERMAL), VIEWER)
    assert told.startswith("3 of the images that were looked at hold values from 7000 to 9040")
    assert "a range from 0 to 65535" in told
    assert "set data.value_range" in told


def test_tracklets_pictures_and_arrays_are_looked_at_alike(tmp_path: Path) -> None:
    (path,) = _files(tmp_path, THERMAL, 1)
    with Image.open(path) as opened:
        for image in ((path, path), opened, np.dstack([THERMAL] * 3)):
            assert narrow_use([image], VIEWER).startswith("1 of the images")


@pytest.mark.parametrize(("last", "is_told"), [(4095, True), (4096, False), (65535, False)])
def test_twelve_bits_in_sixteen_are_told_and_a_sixteenth_is_not(last: int, is_told: bool) -> None:
    assert bool(narrow_use([np.array([[[0, 5, last]]], np.uint16)], VIEWER)) is is_told


def test_the_whole_sample_counts_and_not_each_image() -> None:
    dark, bright = np.full((2, 2, 3), 10, np.uint16), np.full((2, 2, 3), 60000, np.uint16)
    assert narrow_use([dark, bright], VIEWER) == ""
    assert narrow_use([dark, dark], VIEWER)


def test_a_range_that_was_told_is_the_range() -> None:
    assert narrow_use([THERMAL], ImageReading("viewer", (7000, 9040))) == ""
    assert narrow_use([THERMAL], ImageReading("viewer", (0, 1)))  # all of it beyond
    assert narrow_use([THERMAL / 9040], ImageReading("viewer", (0, 255)))


def test_bytes_unreadable_files_and_unknown_ranges_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    images: list[Any] = [
        str(tmp_path / "text.png"),
        str(tmp_path / "gone.png"),
        np.zeros((2, 2, 3), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        THERMAL[:0],
    ]
    assert narrow_use(images, VIEWER) == ""
    assert narrow_use([], VIEWER) == ""
    assert narrow_use([THERMAL], TORCHREID) == ""


def test_no_file_of_bytes_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _files(tmp_path, np.zeros((4, 3, 3), np.uint8), 40)
    monkeypatch.setattr(Image.Image, "load", None)
    assert narrow_use(paths, VIEWER) == ""
