"""RAP (Li et al., 2016): 41,585 images of shoppers by 26 cameras."""

from __future__ import annotations

import os

from reid_plugins_datasets.pedestrian_attributes.structure import Structure
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

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

_STRUCTURE = Structure(
    file="RAP_annotation/RAP_annotation.mat",
    name="RAP_annotation",
    words="a structure with partitions, labels, and the names of attributes and images",
    images="RAP_dataset",
    labels=1,
    attributes=3,
    partitions=0,
    parts=2,
    pictures=5,
    first=51,
)


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
    return _STRUCTURE.read(CARD, root, split_id)
