"""Occluded-Duke (Miao et al., ICCV 2019): DukeMTMC-reID split anew, so that queries are hidden."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.people.dukemtmcreid import FORM
from reid_plugins_datasets.reading.market_layout import market_folders, read_market_layout
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by, require

CARD = DatasetCard(
    title="Occluded-Duke",
    folder="Occluded_Duke",
    layout="""\
Occluded_Duke/
    bounding_box_train/0005_c2_f0046985.jpg    identity 5, camera 2, frame 46985
    query/
    bounding_box_test/""",
    paper="Miao et al. Pose-Guided Feature Alignment for Occluded Person Re-Identification. "
    "ICCV 2019",
    source="https://github.com/lightas/Occluded-DukeMTMC-Dataset",
    licence="that of DukeMTMC-reID, whose pictures it has: academic research only",
    protocol="Queries, all of them partly hidden, are searched for in the gallery; images of the "
    "query's person by the query's camera are left out (test.protocol=occluded).",
    withdrawn="its pictures are DukeMTMC's, which its authors withdrew in 2019: people were filmed "
    "without their consent",
    counts=(
        OfficialCount("train", 702, 15_618, 8),
        OfficialCount("query", 519, 2_210),
        OfficialCount("gallery", 1_110, 17_661),
    ),
    camera_names=tuple("12345678"),
)


@described_by(CARD)
def occluded_duke(root: str | os.PathLike[str]) -> Splits:
    """Read Occluded-Duke.

    Args:
        root: folder that holds ``Occluded_Duke/``.

    Raises:
        DataError: a folder is missing, or images have names of another form.
    """
    directory = Path(root) / CARD.folder
    require(CARD, *market_folders(directory))
    return read_market_layout(directory, FORM)
