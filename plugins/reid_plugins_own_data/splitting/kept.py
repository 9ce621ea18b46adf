"""A table that says its splits already: what they are, and which protocol fits them."""

from __future__ import annotations

from typing import Any

import numpy as np

from reid_plugins_own_data.splitting.sightings import Sightings, sightings_of
from reid_plugins_own_data.splitting.split import ACROSS, ANYWHERE, part_counts
from reid_plugins_own_data.splitting.table import SPLIT, ImageTable

__all__ = ["kept_split"]


def kept_split(table: ImageTable) -> dict[str, Any]:
    """Return what the splits of a table are, in the form that ``reidcore data split`` records.

    Args:
        table: with a column of splits.

    Raises:
        DataError: an identity or a camera is no label.
    """
    words = [word.strip() for word in table.columns[SPLIT]]
    sightings = sightings_of(table.columns, table.roles)
    return {
        "splits": part_counts(sightings, words),
        "protocol": ACROSS if _has_match_across(sightings, words) else ANYWHERE,
        "columns": table.options(),
        "classes": {},
        "notes": [f"the splits are those of {table.file}"],
    }


def _has_match_across(sightings: Sightings, words: list[str]) -> bool:
    """Say whether a query has a match in another camera."""
    split = np.array(words)
    pairs = np.stack([sightings.pids, sightings.camids], axis=1)
    asked = {tuple(pair) for pair in pairs[split == "query"].tolist()}
    cameras: dict[int, set[int]] = {}
    for pid, camid in pairs[split == "gallery"].tolist():
        cameras.setdefault(pid, set()).add(camid)
    return any(cameras.get(pid, set()) - {camid} for pid, camid in asked)
