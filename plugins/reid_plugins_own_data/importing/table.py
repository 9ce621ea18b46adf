"""The table of a dataset: a row for each image, with the columns that say something."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reid_plugins_own_data.crop import Crop
from reidcore.utils import atomic_write

LABELS = "labels.csv"
"""The table of a dataset, in its folder."""

_COLUMNS: Mapping[str, Callable[[Crop], str]] = {
    "class": lambda crop: crop.category,
    "sequence": lambda crop: crop.sequence,
    "frame": lambda crop: "" if crop.frame is None else str(crop.frame),
    "track": lambda crop: crop.track,
    "visibility": lambda crop: "" if crop.visibility is None else f"{crop.visibility:g}",
}
"""Further column -> its text for a crop; one that is empty everywhere is not written."""

_TRAIN = "train"


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        path: of the image, below the folder of the table.
        pid: the identity.
        camid: the camera; empty if no row has one.
        crop: what it was made from.
    """

    path: str
    pid: str
    camid: str
    crop: Crop


def write_table(rows: Sequence[Row], file: Path) -> None:
    """Write a table as the dataset ``csv`` reads it, in the order of identities and paths.

    Where the source does not say its splits all rows are ``train``, until they are split.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    further = _further_columns(rows)
    cameras = any(row.camid for row in rows)
    writer.writerow(["path", "pid", *(["camid"] if cameras else []), "split", *further])
    for row in sorted(rows, key=lambda row: (_natural(row.pid), _natural(row.path))):
        camera = [row.camid] if cameras else []
        split = row.crop.split or _TRAIN
        columns = (tell(row.crop) for tell in further.values())
        writer.writerow([row.path, row.pid, *camera, split, *columns])
    with atomic_write(file) as opened:
        # Names of files that are no text keep the escapes that are shown of them.
        opened.write(text.getvalue().encode(errors="backslashreplace"))


def counts_of(rows: Sequence[Row]) -> dict[str, object]:
    """Return how many identities, images and cameras there are, and how many of each class."""
    classes = sorted({row.crop.category for row in rows})
    counts: dict[str, object] = dict(_counts(rows))
    if any(classes):
        of_class = {name: [row for row in rows if row.crop.category == name] for name in classes}
        counts["classes"] = {name: _counts(some) for name, some in of_class.items()}
    if any(row.crop.split for row in rows):
        counts["splits"] = dict(Counter(row.crop.split for row in rows))
    return counts


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    images = Counter(row.pid for row in rows)
    return {
        "identities": len(images),
        "images": len(rows),
        "cameras": len({row.camid for row in rows if row.camid}),
        "identities_of_one_image": sum(count == 1 for count in images.values()),
    }


def _further_columns(rows: Sequence[Row]) -> dict[str, Callable[[Crop], str]]:
    known = dict(_COLUMNS)
    for name in dict.fromkeys(name for row in rows for name in row.crop.further):
        column = name if name not in (*known, "path", "pid", "camid", "split") else f"{name}_"
        known[column] = _telling(name)
    return {name: tell for name, tell in known.items() if any(tell(row.crop) for row in rows)}


def _telling(name: str) -> Callable[[Crop], str]:
    return lambda crop: str(crop.further.get(name, ""))


def _natural(text: str) -> list[tuple[int, str]]:
    """Return what texts with numbers are sorted by: 2 before 10."""
    parts = re.split(r"(\d+)", text)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
