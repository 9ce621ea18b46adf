"""RAP, second version (Li et al., TIP 2019): 84,928 images of shoppers by 25 cameras."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

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
    title="RAP v2",
    folder="rap2",
    layout="""\
rap2/
    RAP_dataset/CAM01-2014-02-15-....png    the pictures
    RAP_annotation/
        RAP_annotation.mat""",
    paper="Li et al. A Richly Annotated Pedestrian Dataset for Person Retrieval in Real "
    "Surveillance Scenarios. IEEE TIP 2019",
    source="https://www.rapdataset.com",
    licence="research only; given out after an agreement is signed",
    protocol="Five random splits (split_id 0 to 4) into images to learn from, to validate, and to "
    "test (50,957, 16,986 and 16,985); the first two are learnt from together. The file selects 54 "
    "of 152 attributes; values other than 0 and 1 count as unknown. Identities, which part of the "
    "pictures has, are not read: the number in their place is that of a combination of "
    "attributes. The form of the file is that which public code reads (names of images, labels, "
    "names of attributes, the selection, partitions); the file itself could not be seen.",
    pids_apart=True,
    counts=(OfficialCount("train", None, 67_943), OfficialCount("gallery", None, 16_985)),
)

_SPLITS = 5
_UNKNOWN = -1
_FORM = "a structure with names of images, labels, names of attributes, a selection, partitions"


@described_by(CARD)
def rap2(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of RAP's five splits, with a column ``attribute_*`` for each selected attribute.

    Args:
        root: folder that holds ``rap2/``.
        split_id: which split, base 0.

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
        pictures, labels, names, selected, partitions = list(stored[0, 0])[:5]
        chosen, named = rows_counted_from_1(selected), texts(names)
        answers = numbers(labels)[:, chosen]
        train, validation, test = (
            rows_counted_from_1(part) for part in only(partitions.reshape(-1)[split_id]).item()
        )
        paths = texts(pictures)
    known = np.where((answers == 0) | (answers == 1), answers, _UNKNOWN)
    images = DescribedImages(folder, paths, [named[place] for place in chosen], known, file)
    return images.splits(np.concatenate([train, validation]), test)
