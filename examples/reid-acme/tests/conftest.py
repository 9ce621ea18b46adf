"""A small warehouse."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reidcore.data import Splits
from reidcore.testing import fake_dataset

CAMERAS = ("dock", "gate")


def write_warehouse(root: Path) -> Path:
    """Write images and the table that lists them into ``root/acme``."""
    folder = root / "acme"
    splits = fake_dataset(folder, ids=4)
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["split", "file", "person", "camera"])
        for split, samples in zip(Splits._fields, splits, strict=True):
            for sample in samples:
                place = Path(sample.path).relative_to(folder)
                camera = CAMERAS[sample.camid - 1]
                table.writerow([split, place, f"worker {sample.pid}", camera])
    return root


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of datasets with the warehouse in it, to be read only."""
    return write_warehouse(tmp_path_factory.mktemp("data"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of datasets with the warehouse in it."""
    return write_warehouse(tmp_path / "data")
