from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from reid_plugins_inspect.pictures.augmented import before_and_after


def test_a_transform_that_draws_on_its_image_leaves_the_other_draws_alone(tmp_path: Path) -> None:
    Image.new("RGB", (8, 16), (0, 0, 0)).save(tmp_path / "a.png")
    seen = []

    def brighten(image: Image.Image) -> Any:
        seen.append(image.getpixel((0, 0)))
        image.paste((255, 255, 255), (0, 0, 8, 16))
        return np.asarray(image, dtype=np.float64).transpose(2, 0, 1) / 255

    path = str(tmp_path / "a.png")
    before_and_after([path], brighten, [0, 0, 0], [1, 1, 1], title="drawn on", draws=3)
    assert seen == [(0, 0, 0)] * 3
