"""The three folders of Market-1501's layout, which other datasets share."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.listing import JPEG, list_names
from reid_plugins_datasets.reading.names import NameForm
from reidcore.data import JUNK_PID, Int64Array, SampleTable, Splits, leave_out
from reidcore.errors import DataError

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

DISTRACTOR_PID = 0
"""Background and unknown people: searched in, never searched for, never learnt from."""

_AT_A_TIME = 1 << 16


def market_folders(directory: Path) -> tuple[Path, Path, Path]:
    """Return the folders of the training, query and gallery images."""
    return directory / TRAIN, directory / QUERY, directory / GALLERY


def read_market_layout(directory: Path, form: NameForm) -> Splits:
    """Read the three folders of a dataset in Market-1501's layout.

    Args:
        directory: folder that holds `TRAIN`, `QUERY` and `GALLERY`.
        form: the names of the images, with the groups ``pid`` and ``camera`` (base 1).

    Raises:
        DataError: a folder cannot be read, or images in it have names of another form.
    """
    train, query, gallery = (read_folder(folder, form) for folder in market_folders(directory))
    return Splits(train, query, gallery)


def read_folder(folder: Path, form: NameForm) -> SampleTable:
    """Read identities and cameras (base 0) from the names of a folder's images, sorted.

    Junk (-1), boxes too bad to be scored, is left out and told. Only names are looked at, never the
    folders above.

    Raises:
        DataError: the folder cannot be read, or images in it have names of another form.
    """
    names = list_names(folder, JPEG, form)
    pids, camids = _labels(names, form, folder)
    table = SampleTable.below(folder, names, pids, camids)
    junk = table.pids == JUNK_PID
    leave_out(table.paths.take(junk), f"images of identity {JUNK_PID}", "junk", expected=True)
    return table.take(~junk)


def _labels(names: list[str], form: NameForm, folder: Path) -> Int64Array:
    """Return (2, N) identities and cameras, a bounded number of matches at a time."""
    labels = np.empty((2, len(names)), dtype=np.int64)
    for begin in range(0, len(names), _AT_A_TIME):
        some = names[begin : begin + _AT_A_TIME]
        try:
            matches = form.read(some, folder, JPEG)
        except DataError:
            form.read(names, folder, JPEG)  # says how many there are in all
            raise
        for row, group in zip(labels, ("pid", "camera"), strict=True):
            row[begin : begin + len(some)] = list(map(int, map(itemgetter(group), matches)))
    labels[1] -= 1
    return labels
