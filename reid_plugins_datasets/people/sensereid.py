"""SenseReID (Zhao et al., Spindle Net, CVPR 2017), to test with."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

CARD = DatasetCard(
    title="SenseReID",
    folder="sensereid",
    layout="""\
sensereid/
    SenseReID/
        test_probe/00077_2.jpg    person 77, camera 2
        test_gallery/""",
    paper="Zhao et al. Spindle Net: Person Re-identification with Human Body Region Guided Feature "
    "Decomposition and Fusion. CVPR 2017",
    source="https://drive.google.com/file/d/0B56OfSrVI8hubVJLTzkwV2VaOWM/view",
    licence="not stated",
    protocol="To test with only: each probe is searched for in the gallery; images of its person "
    "by its camera are left out.",
    counts=(OfficialCount("query", 522, 1_040), OfficialCount("gallery", 1_717, 3_388)),
)

_FORM = NameForm(re.compile(r"(?P<pid>\d+)_(?P<camera>\d+)\.jpg"), "00077_2.jpg: person 77")


@described_by(CARD)
def sensereid(root: str | os.PathLike[str]) -> Splits:
    """Read SenseReID; there is nothing to learn from.

    Args:
        root: folder that holds ``sensereid/SenseReID``.

    Raises:
        DataError: a folder is missing, or images have names of another form.
    """
    release = Path(root) / CARD.folder / "SenseReID"
    folders = [release / "test_probe", release / "test_gallery"]
    require(CARD, *folders)
    query, gallery = (_read(folder) for folder in folders)
    return Splits([], query, gallery)


def _read(folder: Path) -> list[Sample]:
    return [
        Sample(path, int(match["pid"]), int(match["camera"]))
        for match, path in read_pictures(folder, _FORM)
    ]
