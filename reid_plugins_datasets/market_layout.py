"""The three folders of Market-1501's layout, which other datasets share."""

from __future__ import annotations

from pathlib import Path

from reid_plugins_datasets.names import NameForm
from reid_plugins_datasets.pictures import read_pictures
from reidcore.data.sample import Sample, Splits

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

JUNK_PID = -1
"""Boxes too bad to be scored: they enter no list."""

DISTRACTOR_PID = 0
"""Background and unknown people: searched in, never searched for, never learnt from."""


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


def read_folder(folder: Path, form: NameForm) -> list[Sample]:
    """Read identities and cameras (base 0) from the names of a folder's ``*.jpg`` files, sorted.

    Junk (-1) is left out. Only names are looked at, never the folders above.

    Raises:
        DataError: the folder cannot be read, or images in it have names of another form.
    """
    samples = (
        Sample(path, int(match["pid"]), int(match["camera"]) - 1)
        for match, path in read_pictures(folder, form)
    )
    return [sample for sample in samples if sample.pid != JUNK_PID]
