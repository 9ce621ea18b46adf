"""What the steps before the training found out about the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reidcore.utils import read_json

_PARTS = {
    "train": "train",
    "val_query": "validation",
    "val_gallery": "validation",
    "query": "test",
    "gallery": "test",
}
"""Words of a split -> what they are for."""


@dataclass(frozen=True)
class Facts:
    """The data as it is trained and tested on.

    Attributes:
        ids: ``train``, ``validation`` and ``test`` -> identities.
        images: the same -> images.
        cameras: number of cameras.
        median: height and width of the images, in pixels.
        protocol: what the test is evaluated by.
        columns: options of the dataset ``csv`` that are not its defaults.
        notes: why the split is as it is.
        classes: class -> part -> identities, where classes are known.
    """

    ids: Mapping[str, int]
    images: Mapping[str, int]
    cameras: int
    median: tuple[int, int]
    protocol: str
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def split_record(table: Path) -> Path:
    """Return where ``reidcore data split`` says how it split a table."""
    return table.with_name(f"{table.stem}.split.json")


def read_facts(check: Path, split: Mapping[str, Any]) -> Facts:
    """Put together what the check and the split say.

    Args:
        check: what ``reidcore data check --json`` wrote.
        split: what ``reidcore data split --json`` says.
    """
    report = read_json(check)
    ids: dict[str, int] = dict.fromkeys(("train", "validation", "test"), 0)
    images = dict(ids)
    for word, counts in split["splits"].items():
        if part := _PARTS.get(word):
            ids[part] = max(ids[part], counts["ids"])
            images[part] += counts["images"]
    sizes = report.get("sizes") or {}
    height, width = (round(sizes[side]["median"]) if sizes else 0 for side in ("height", "width"))
    return Facts(
        ids,
        images,
        max(counts["cameras"] for counts in split["splits"].values()),
        (height, width),
        split["protocol"],
        split.get("columns", {}),
        tuple(split.get("notes", ())),
        split.get("classes", {}),
    )
