from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reid_plugins_standard.transforms.letterbox import Letterbox

from reidcore.data.transforms.build import build_transforms
from reidcore.errors import ConfigError

SIDE = st.integers(1, 80)


@settings(max_examples=60, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE)
def test_an_image_fills_one_direction_and_keeps_its_shape(
    height: int, width: int, new_height: int, new_width: int
) -> None:
    image = Image.new("RGB", (width, height), (200, 0, 0))
    made = np.asarray(Letterbox(new_height, new_width, fill=(1, 2, 3))(image))
    assert made.shape == (new_height, new_width, 3)
    inside = (made == (200, 0, 0)).all(2)
    assert ((made == (1, 2, 3)).all(2) | inside).all()
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    inner = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    assert inside.sum() == inner[0] * inner[1]
    assert inner[0] == new_height or inner[1] == new_width
    scale = min(new_height / height, new_width / width)
    for side, exact in zip(inner, (height * scale, width * scale), strict=True):
        assert abs(side - max(1, exact)) <= 0.5
    assert abs(rows[0] - (new_height - 1 - rows[-1])) <= 1
    assert abs(columns[0] - (new_width - 1 - columns[-1])) <= 1


def test_a_test_image_is_framed_as_well() -> None:
    image = Image.new("RGB", (30, 30), (200, 0, 0))
    plain = {"norm_mean": [0, 0, 0], "norm_std": [1 / 255] * 3}
    train, test = build_transforms(64, 32, ["random_flip", "letterbox"], **plain)
    assert len(test.transforms) == 2
    for transform in (train, test):
        made = transform(image)
        assert made[:, 0, 0].round().tolist() == [124, 116, 104]
        assert made[:, 32, 16].round().tolist() == [200, 0, 0]


def test_a_fill_that_is_no_colour_is_refused() -> None:
    for fill in ([1, 2], [1, 2, 256], [-1, 0, 0]):
        with pytest.raises(ConfigError, match="three values"):
            Letterbox(8, 8, fill=fill)
