"""PETA (Deng et al., ACM MM 2014): 19,000 images of pedestrians out of ten datasets."""

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
    title="PETA",
    folder="peta",
    layout="""\
peta/
    images/00001.png    to 19000.png, in one folder
    PETA.mat""",
    paper="Deng et al. Pedestrian Attribute Recognition At Far Distance. ACM MM 2014",
    source="http://mmlab.ie.cuhk.edu.hk/projects/PETA.html; the pictures in one folder and "
    "PETA.mat as https://github.com/dangweili/pedestrian-attribute-recognition-pytorch has them",
    licence="research only, as far as known; its pictures are of ten other datasets",
    protocol="Five random halvings (split_id 0 to 4): 9,500 images to learn from, 1,900 to "
    "validate, 7,600 to test; as published, the first two are learnt from together. The first 35 "
    "of 105 attributes are evaluated. There are no identities in the file: the number in their "
    "place is that of a combination of attributes. The form of PETA.mat is that which public "
    "code reads; the file itself could not be seen.",
    pids_apart=True,
    counts=(OfficialCount("train", None, 11_400), OfficialCount("gallery", None, 7_600)),
)

_SPLITS = 5
_EVALUATED = 35
_FORM = "a structure with a table, the names of attributes, and five partitions in fourth place"


@described_by(CARD)
def peta(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of PETA's five halvings, with a column ``attribute_*`` for each attribute.

    Args:
        root: folder that holds ``peta/``.
        split_id: which halving, base 0.

    Raises:
        DataError: a file is missing or not as expected, or there is no such split.
        UserError: scipy is missing.
    """
    check_split_id(CARD.title, split_id, _SPLITS)
    directory = Path(root) / CARD.folder
    folder, file = directory / "images", directory / "PETA.mat"
    require(CARD, folder, file)
    stored = load_mat(file, "peta")["peta"]
    with of_the_known_form(file, _FORM):
        table, names, _, partitions = list(stored[0, 0])[:4]
        named = texts(names)
        # Before the attributes stand columns about the picture.
        answers = numbers(table)[:, -len(named) :][:, :_EVALUATED]
        train, validation, test = (
            rows_counted_from_1(part) for part in only(partitions[split_id]).item()
        )
    paths = [f"{number:05d}.png" for number in range(1, len(answers) + 1)]
    images = DescribedImages(folder, paths, named[:_EVALUATED], answers, file)
    return images.splits(np.concatenate([train, validation]), test)
