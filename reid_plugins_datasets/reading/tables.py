"""Tables of what the names of pictures say, column by column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.reading.pictures import Picture
from reidcore.data import Int64Array, SampleTable


def whole_numbers(matches: Sequence[re.Match[str]], group: str) -> Int64Array:
    """Return (N,) the whole numbers in a group of N matches."""
    return np.array(list(map(int, map(itemgetter(group), matches))), dtype=np.int64)


def texts(matches: Sequence[re.Match[str]], group: str) -> npt.NDArray[np.str_]:
    """Return (N,) the texts in a group of N matches."""
    return np.array([match[group] for match in matches], dtype=np.str_)


def table_of(
    pictures: Sequence[Picture],
    *,
    pid: str = "pid",
    camera: str | int = "camera",
    columns: Iterable[str] = (),
    further: Mapping[str, npt.NDArray[Any]] | None = None,
) -> SampleTable:
    """Return the table of N pictures whose names hold whole numbers.

    Args:
        pictures: the pictures, in the order of the table.
        pid: group with the identity.
        camera: group with the camera, which the files number from 1 and the table from 0; or the
            number of the one camera that saw all of them, base 0.
        columns: groups of whole numbers that become columns of that name.
        further: other columns, each of length N.
    """
    matches = [match for match, _ in pictures]
    camids = (
        np.full(len(matches), camera, dtype=np.int64)
        if isinstance(camera, int)
        else whole_numbers(matches, camera) - 1
    )
    named = {column: whole_numbers(matches, column) for column in columns}
    paths = [path for _, path in pictures]
    pids = whole_numbers(matches, pid)
    return SampleTable.below("", paths, pids, camids, {**named, **(further or {})})
