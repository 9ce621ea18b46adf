"""How large the pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.image_stats import GOOD, ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reidcore.errors import counted

TINY = 16
"""A picture with fewer pixels than this on a side shows nobody."""


def find_tiny(dataset: CheckedDataset, image_stats: ImageStats) -> Iterator[Finding]:
    """Yield a warning on pictures of a few pixels."""
    small = (image_stats["width"] < TINY) | (image_stats["height"] < TINY)
    places = np.flatnonzero(small & (image_stats["state"] == GOOD)).tolist()
    if places:
        paths, widths, heights = dataset.files.paths, image_stats["width"], image_stats["height"]
        shown = [f"{paths[place]} ({widths[place]}x{heights[place]})" for place in places[:9]]
        yield Finding(
            "tiny",
            "warning",
            f"{counted(len(places), 'image')} of fewer than {TINY} pixels on a side",
            len(places),
            first(shown),
            "Nobody is to be recognised on them: leave them out",
        )


def sizes(image_stats: ImageStats) -> dict[str, Any]:
    """Return ``distinct``, how many sizes there are, and of each measure ``min, median, max``.

    The measures are ``width`` and ``height`` in pixels, and ``aspect``, height to width. Without a
    readable picture nothing is returned.
    """
    good = image_stats[image_stats["state"] == GOOD]
    if not len(good):
        return {}
    shapes = np.unique(np.stack([good["width"], good["height"]], axis=1), axis=0)
    figures = {
        "width": good["width"],
        "height": good["height"],
        "aspect": good["height"] / good["width"],
    }
    return {
        "distinct": len(shapes),
        **{name: _summary(values) for name, values in figures.items()},
    }


def _summary(values: Any) -> dict[str, float]:
    rounded = {"min": values.min(), "median": np.median(values), "max": values.max()}
    return {name: round(float(value), 3) for name, value in rounded.items()}
