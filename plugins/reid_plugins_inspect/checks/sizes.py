"""How large the pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reid_plugins_inspect.checks.finding import Finding, counted, first
from reid_plugins_inspect.checks.image_stats import GOOD, Facts
from reid_plugins_inspect.checks.inputs import Subject

TINY = 16
"""A picture with fewer pixels than this on a side shows nobody."""


def find_tiny(subject: Subject, facts: Facts) -> Iterator[Finding]:
    """Yield a warning on pictures of a few pixels."""
    small = (facts["width"] < TINY) | (facts["height"] < TINY)
    places = np.flatnonzero(small & (facts["state"] == GOOD)).tolist()
    if places:
        shown = [
            f"{subject.files.paths[place]} ({facts['width'][place]}x{facts['height'][place]})"
            for place in places[:9]
        ]
        yield Finding(
            "tiny",
            "warning",
            f"{counted(len(places), 'image')} of fewer than {TINY} pixels on a side",
            len(places),
            first(shown),
            "Nobody is to be recognised on them: leave them out",
        )


def sizes(facts: Facts) -> dict[str, Any]:
    """Return ``distinct``, how many sizes there are, and of each measure ``min, median, max``.

    The measures are ``width`` and ``height`` in pixels, and ``aspect``, height to width. Without a
    readable picture nothing is returned.
    """
    good = facts[facts["state"] == GOOD]
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
