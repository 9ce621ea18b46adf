"""Files that are missing, empty or damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.image_stats import (
    DAMAGED,
    EMPTY,
    MISSING,
    UNKNOWN_RANGE,
    ImageStats,
)
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reidcore.errors import counted

_SKIP = ", or leave such images out with data.on_bad_image=skip"
_RANGE = "Give --value-range here, and data.value_range to the run"
_KINDS = (
    (MISSING, "missing", "missing or may not be read", f"Unpack the dataset again{_SKIP}"),
    (EMPTY, "empty", "of zero bytes", f"Copy or unpack the files again{_SKIP}"),
    (DAMAGED, "damaged", "truncated, too large or no images", f"Repair or remove the files{_SKIP}"),
    (UNKNOWN_RANGE, "range", "of values whose range is to be told", _RANGE),
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
                advice,
            )
