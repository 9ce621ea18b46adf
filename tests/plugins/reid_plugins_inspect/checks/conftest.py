from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.checks import CheckedDataset

from reidcore.data.table import SampleTable

Rows = Iterable[tuple[str, int, int]]


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """Make a picture with structure that survives scaling, another one for each seed."""

    def make(seed: int, size: tuple[int, int] = (32, 64)) -> Image.Image:
        coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)

    return make


@pytest.fixture
def make_dataset(
    tmp_path: Path, picture: Callable[..., Image.Image]
) -> Callable[..., CheckedDataset]:
    """Make a dataset of rows (name, pid, camid); files that are not there become pictures."""

    def make(
        train: Rows = (), query: Rows = (), gallery: Rows = (), **more: object
    ) -> CheckedDataset:
        tables = []
        for rows in (train, query, gallery):
            for name, *_ in rows:
                if not (tmp_path / name).exists():
                    seed = int.from_bytes(name.encode(), "little")
                    picture(seed).save(tmp_path / name)
            tables.append(
                SampleTable.of([(str(tmp_path / name), *labels) for name, *labels in rows])
            )
        return CheckedDataset("shop", *tables, **more)  # type: ignore[arg-type]

    return make
