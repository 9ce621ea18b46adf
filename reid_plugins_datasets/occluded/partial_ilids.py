"""Partial-iLIDS: people of i-LIDS of whom only a part is seen (Zheng et al., CVPR 2011)."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.occluded.occluded_pairs import read_pairs
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by

CARD = DatasetCard(
    title="Partial-iLIDS",
    folder="PartialiLIDS",
    layout="""\
PartialiLIDS/                (or Partial_iLIDS/)
    query/001_1.jpg          person 1; Probe/ in other copies
    gallery/                 Gallery/ in other copies""",
    paper="Zheng et al. Person Re-identification by Probabilistic Relative Distance Comparison. "
    "CVPR 2011",
    source="https://github.com/JDAI-CV/fast-reid/tree/master/projects/PartialReID",
    licence="research only, as far as known",
    protocol="For testing only: one picture of a part of each of 119 people is searched for among "
    "119 whole ones. There are no cameras: the queries count as one camera and the gallery as "
    "another, so that nothing is left out (test.protocol=partial test.ranks=[1,3]).",
    counts=(OfficialCount("query", 119, 119), OfficialCount("gallery", 119, 119)),
)


@described_by(CARD)
def partial_ilids(root: str | os.PathLike[str]) -> Splits:
    """Read Partial-iLIDS.

    Args:
        root: folder that holds ``PartialiLIDS/`` or ``Partial_iLIDS/``.

    Raises:
        DataError: a folder is missing or empty, or a picture has a name of another form.
    """
    places = [
        ("PartialiLIDS/query", "PartialiLIDS/gallery"),
        ("Partial_iLIDS/Probe", "Partial_iLIDS/Gallery"),
    ]
    return read_pairs(CARD, Path(root), places)
