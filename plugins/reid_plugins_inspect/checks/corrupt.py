"""Files that are missing, empty or damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from reid_plugins_inspect.checks.finding import Finding, counted, first
from reid_plugins_inspect.checks.image_stats import DAMAGED, EMPTY, MISSING, ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset

_KINDS = (
    (MISSING, "missing", "missing or may not be read", "Unpack the dataset again"),
    (EMPTY, "empty", "of zero bytes", "Copy or unpack the files again"),
    (DAMAGED, "damaged", "truncated or no images", "Repair or remove the files"),
)


def find_corrupt(
    dataset: CheckedDataset, image_stats: ImageStats, unreadable: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield an error for each way in which files are of no use."""
    for state, check, words, advice in _KINDS:
        places = np.flatnonzero(image_stats["state"] == state).tolist()
        if places:
            shown = [f"{dataset.files.paths[place]} ({unreadable[place]})" for place in places[:9]]
            are = "is" if len(places) == 1 else "are"
            yield Finding(
                check,
                "error",
                f"{counted(len(places), 'file')} {are} {words}",
                len(places),
                first(shown),
                f"{advice}, or leave such images out with data.on_bad_image=skip",
            )
