"""Partial-REID (Zheng et al., ICCV 2015): people of whom only a part is seen."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.occluded.occluded_pairs import read_pairs
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

CARD = DatasetCard(
    title="Partial-REID",
    folder="Partial_REID",
    layout="""\
Partial_REID/
    partial_body_images/001_001.jpg    person 1, picture 1: the queries
    whole_body_images/                 the gallery""",
    paper="Zheng et al. Partial Person Re-Identification. ICCV 2015",
    source="https://github.com/JDAI-CV/fast-reid/tree/master/projects/PartialReID",
    licence="research only, as far as known",
    protocol="For testing only: pictures of parts of 60 people are searched for among whole ones. "
    "There are no cameras: the queries count as one camera and the gallery as another, so that "
    "nothing is left out (test.protocol=partial test.ranks=[1,3]).",
    counts=(OfficialCount("query", 60, 300), OfficialCount("gallery", 60, 300)),
)


@described_by(CARD)
def partial_reid(root: str | os.PathLike[str]) -> Splits:
    """Read Partial-REID.

    Args:
        root: folder that holds ``Partial_REID/``.

    Raises:
        DataError: a folder is missing or empty, or a picture has a name of another form.
    """
    places = [("Partial_REID/partial_body_images", "Partial_REID/whole_body_images")]
    return read_pairs(CARD, Path(root), places)
