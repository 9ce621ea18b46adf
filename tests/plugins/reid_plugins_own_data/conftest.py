"""Sources of own data, made small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Path]
Size = tuple[int, int]


@pytest.fixture
def draw(tmp_path) -> Draw:
    """Write small pictures, each of one colour of its own, and return their folder."""

    def draw(
        names: Sequence[str], folder: str = "source", size: tuple[int, int] = (16, 32)
    ) -> Path:
        for number, name in enumerate(names):
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((size[1], size[0], 3), 10 * number % 250, np.uint8)
            Image.fromarray(pixels).save(file)
        return tmp_path / folder

    return draw
