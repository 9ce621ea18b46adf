"""The dataset: images listed in a table, people and cameras by name."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from reidcore import data
from reidcore.errors import DataError, did_you_mean

COLUMNS = ("split", "file", "person", "camera")


def read(root: Path, *, without: Sequence[str] = ()) -> data.Splits:
    """Read ``root/acme/labels.csv`` and the images that it lists.

    Args:
        root: the folder of all datasets.
        without: cameras to leave out.

    Raises:
        DataError: if the table is missing or incomplete, or a camera is unknown.
    """
    folder = root / "acme"
    rows = _rows(folder / "labels.csv")
    people = _numbered(row["person"] for row in rows)
    cameras = _numbered(row["camera"] for row in rows)
    for camera in without:
        if camera not in cameras:
            near = did_you_mean(camera, cameras)
            raise DataError(f"acme.without names {camera!r}, which is no camera", near)
    splits = data.Splits([], [], [])
    for row in rows:
        if row["camera"] not in without:
            path = str(folder / row["file"])
            sample = data.Sample(path, people[row["person"]], cameras[row["camera"]])
            getattr(splits, row["split"]).append(sample)
    return splits


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise DataError(f"there is no table {table}", f"It has the columns {', '.join(COLUMNS)}.")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows, 2):
        missing = [column for column in COLUMNS if not row.get(column)]
        if missing or row["split"] not in data.Splits._fields:
            raise DataError(
                f"{table}:{number} lacks {', '.join(missing) or 'a split that exists'}",
                f"A row has {', '.join(COLUMNS)}; a split is train, query or gallery.",
            )
    return rows


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}
