"""RAP, second version (Li et al., TIP 2019): 84,928 images of shoppers by 25 cameras."""

from __future__ import annotations

import os

from reid_plugins_datasets.pedestrian_attributes.structure import Structure
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

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

_STRUCTURE = Structure(
    file="RAP_annotation/RAP_annotation.mat",
    name="RAP_annotation",
    words="a structure with names of images, labels, names of attributes, a selection, partitions",
    images="RAP_dataset",
    labels=1,
    attributes=2,
    partitions=4,
    parts=3,
    pictures=0,
    selection=3,
)


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
    return _STRUCTURE.read(CARD, root, split_id)
