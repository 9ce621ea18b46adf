"""PETA (Deng et al., ACM MM 2014): 19,000 images of pedestrians out of ten datasets."""

from __future__ import annotations

import os

from reid_plugins_datasets.pedestrian_attributes.structure import Structure
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

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

_STRUCTURE = Structure(
    file="PETA.mat",
    name="peta",
    words="a structure with a table, the names of attributes, and five partitions in fourth place",
    images="images",
    labels=0,
    attributes=1,
    partitions=3,
    parts=3,
    first=35,
)


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
    return _STRUCTURE.read(CARD, root, split_id)
