"""RAP (Li et al., 2016): 41,585 images of shoppers by 26 cameras."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.pedestrian_attributes.cells import (
    numbers,
    of_the_known_form,
    only,
    rows_counted_from_1,
    texts,
)
from reid_plugins_datasets.pedestrian_attributes.described import DescribedImages
from reid_plugins_datasets.reading.matlab import load_mat
from reid_plugins_datasets.reading.option_values import check_split_id
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by, require

CARD = DatasetCard(
    title="RAP",
    folder="rap",
    layout="""\
rap/
    RAP_dataset/CAM01-2014-02-15-....png    the pictures
    RAP_annotation/
        RAP_annotation.mat""",
    paper="Li et al. A Richly Annotated Dataset for Pedestrian Attribute Recognition. 2016",
    source="https://www.rapdataset.com",
    licence="research only; given out after an agreement is signed",
    protocol="Five random halvings (split_id 0 to 4): 33,268 images to learn from, 8,317 to test. "
    "The first 51 of 92 attributes are evaluated. There are no identities: the number in their "
    "place is that of a combination of attributes. The form of the file is that which public code "
    "reads (partitions, labels, and the names of attributes and images in the first, second, "
    "fourth and sixth place); the file itself could not be seen.",
    pids_apart=True,
    counts=(OfficialCount("train", None, 33_268), OfficialCount("gallery", None, 8_317)),
)

_SPLITS = 5
_EVALUATED = 51
_FORM = "a structure with partitions, labels, and the names of attributes and images"


@described_by(CARD)
def rap(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of RAP's five halvings, with a column ``attribute_*`` for each attribute.

    Args:
        root: folder that holds ``rap/``.
        split_id: which halving, base 0.

    Raises:
        DataError: a file is missing or not as expected, or there is no such split.
        UserError: scipy is missing.
    """
    check_split_id(CARD.title, split_id, _SPLITS)
    directory = Path(root) / CARD.folder
    folder = directory / "RAP_dataset"
    file = directory / "RAP_annotation" / "RAP_annotation.mat"
    require(CARD, folder, file)
    stored = load_mat(file, "RAP_annotation")["RAP_annotation"]
    with of_the_known_form(file, _FORM):
        partitions, labels, _, names, _, pictures = list(stored[0, 0])[:6]
        train, test = (rows_counted_from_1(part) for part in only(partitions[split_id]).item())
        answers, named = numbers(labels)[:, :_EVALUATED], texts(names)[:_EVALUATED]
        paths = texts(pictures)
    return DescribedImages(folder, paths, named, answers, file).splits(train, test)
