"""The file names and folders of Market-1501, which other datasets share."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reidcore.data.dataset import ImageDataset
from reidcore.data.sample import Sample
from reidcore.errors import DataError

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

JUNK_PID = -1
"""Boxes too bad to be scored: they enter no list."""

DISTRACTOR_PID = 0
"""Background and unknown people: searched in, never searched for, never learnt from."""

_NAME = re.compile(r"(?P<pid>-1|\d{4,})_c(?P<camera>\d+)s\d+_\d+_\d+\.jpg")


class MarketStyleDataset(ImageDataset):
    """A dataset in Market-1501's layout, which knows its distractors."""

    _junk_pids = (DISTRACTOR_PID, JUNK_PID)


def open_market_style(
    directory: Path, title: str, distractors: Path | None = None
) -> MarketStyleDataset:
    """Read the three folders of a dataset in Market-1501's layout.

    Args:
        directory: folder that holds `TRAIN`, `QUERY` and `GALLERY`.
        title: name of the dataset in the summary.
        distractors: folder of further gallery images, if any.

    Raises:
        DataError: a folder is missing, or an image in it has a name of another form.
    """
    gallery = read_folder(directory / GALLERY)
    if distractors is not None:
        gallery += read_folder(distractors)
    dataset = MarketStyleDataset(
        read_folder(directory / TRAIN), read_folder(directory / QUERY), gallery, verbose=False
    )
    dataset.dataset_dir = str(directory)
    dataset.show_summary(title)
    return dataset


def read_folder(folder: Path) -> list[Sample]:
    """Read identities and cameras (base 0) from the names of a folder's ``*.jpg`` files, sorted.

    Junk (-1) is left out. Only names are looked at, never the folders above.

    Raises:
        DataError: the folder cannot be read, or an image has a name of another form.
    """
    try:
        with os.scandir(folder) as entries:
            files = sorted(
                (entry.name, entry.path) for entry in entries if entry.name.endswith(".jpg")
            )
    except OSError as error:
        raise DataError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    samples = (_sample(name, path) for name, path in files)
    return [sample for sample in samples if sample.pid != JUNK_PID]


def _sample(name: str, path: str) -> Sample:
    match = _NAME.fullmatch(name)
    if match is None or match["camera"] == "0":
        raise DataError(
            f"{path!r} is not named like an image of Market-1501",
            "Expected names such as 0002_c1s1_000451_03.jpg: identity 2, camera 1. "
            "Move other files away, or read the folders with the dataset 'folder' and a pattern.",
        )
    return Sample(path, int(match["pid"]), int(match["camera"]) - 1)
