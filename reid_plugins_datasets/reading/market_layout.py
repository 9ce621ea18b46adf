"""The three folders of Market-1501's layout, which other datasets share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.listing import JPEG, list_names
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.tables import whole_numbers
from reidcore.data import JUNK_PID, Int64Array, SampleTable, Splits, leave_out
from reidcore.errors import DataError

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

DISTRACTOR_PID = 0
"""Background and unknown people: searched in, never searched for, never learnt from."""

COLUMNS = ("sequence", "frame")
"""Groups of a name that become columns, where its form has them."""

_AT_A_TIME = 1 << 16


def market_folders(directory: Path) -> tuple[Path, Path, Path]:
    """Return the folders of the training, query and gallery images."""
    return directory / TRAIN, directory / QUERY, directory / GALLERY


def read_market_layout(directory: Path, form: NameForm) -> Splits:
    """Read the three folders of a dataset in Market-1501's layout.

    Args:
        directory: folder that holds `TRAIN`, `QUERY` and `GALLERY`.
        form: the names of the images, with the groups ``pid`` and ``camera`` (base 1); those of
            `COLUMNS` become columns of the tables.

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
    labels = _labels(names, form, folder)
    pids, camids = labels.pop("pid"), labels.pop("camera") - 1
    table = SampleTable.below(folder, names, pids, camids, labels)
    junk = table.pids == JUNK_PID
    leave_out(table.paths.take(junk), f"images of identity {JUNK_PID}", "junk", expected=True)
    return table.take(~junk)


def _labels(names: list[str], form: NameForm, folder: Path) -> dict[str, Int64Array]:
    """Return (N,) identities, cameras and columns, a bounded number of matches at a time."""
    groups = [name for name in ("pid", "camera", *COLUMNS) if name in form.pattern.groupindex]
    labels = {group: np.empty(len(names), dtype=np.int64) for group in groups}
    for begin in range(0, len(names), _AT_A_TIME):
        some = names[begin : begin + _AT_A_TIME]
        try:
            matches = form.read(some, folder, JPEG)
        except DataError:
            form.read(names, folder, JPEG)  # says how many there are in all
            raise
        for group, column in labels.items():
            column[begin : begin + len(some)] = whole_numbers(matches, group)
    return labels
