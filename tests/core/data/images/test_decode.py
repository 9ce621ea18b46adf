from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidcore.data.images.decode import UnreadableImageError, read_image


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new(mode, (6, 9), 0).save(path)
    image = read_image(path)
    assert (image.mode, image.size) == ("RGB", (6, 9))


def _truncated(path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize("case", ["missing", "empty", "text", "truncated.jpg", "truncated.png"])
def test_an_unreadable_file_is_named_with_the_choice_to_skip(tmp_path: Path, case: str) -> None:
    path = tmp_path / (case if "." in case else "x.jpg")
    if case == "empty":
        path.touch()
    elif case == "text":
        path.write_text("no image")
    elif case.startswith("truncated"):
        _truncated(path)
    with pytest.raises(UnreadableImageError) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "data.on_bad_image=skip" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.path) == (str(caught.value), str(path))
