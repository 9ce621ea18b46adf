"""Occluded-REID (Zhuo et al., ICME 2018): people hidden by what stands before them."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.occluded.occluded_pairs import read_pairs
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

CARD = DatasetCard(
    title="Occluded-REID",
    folder="OccludedREID",
    layout="""\
OccludedREID/
    query/001_01.jpg                       person 1, picture 1
    gallery/
or, as it was released,
Occluded_REID/
    occluded_body_images/001/001_01.tif    the queries
    whole_body_images/001/                 the gallery""",
    paper="Zhuo et al. Occluded Person Re-identification. ICME 2018",
    source="https://github.com/JDAI-CV/fast-reid/tree/master/projects/PartialReID",
    licence="research only, as far as known",
    protocol="For testing only: five hidden pictures of each of 200 people are searched for among "
    "five whole ones of each. There are no cameras: the queries count as one camera and the "
    "gallery as another, so that nothing is left out (test.protocol=occluded).",
    counts=(OfficialCount("query", 200, 1_000), OfficialCount("gallery", 200, 1_000)),
)


@described_by(CARD)
def occluded_reid(root: str | os.PathLike[str]) -> Splits:
    """Read Occluded-REID.

    Args:
        root: folder that holds ``OccludedREID/`` or ``Occluded_REID/``.

    Raises:
        DataError: a folder is missing or empty, or a picture has a name of another form.
    """
    places = [
        ("OccludedREID/query", "OccludedREID/gallery"),
        ("Occluded_REID/occluded_body_images", "Occluded_REID/whole_body_images"),
    ]
    return read_pairs(CARD, Path(root), places)
