"""SYSU-MM01's visible pictures of everybody, to learn from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.modalities.modality import VISIBLE
from reid_plugins_datasets.modalities.sysu_mm01 import CAMERAS
from reid_plugins_datasets.modalities.sysu_mm01 import CARD as WHOLE
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_below
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, SampleTable, Splits, described_by, require

CARD = DatasetCard(
    title="SYSU-MM01 (visible)",
    folder=WHOLE.folder,
    layout="""\
SYSU-MM01/
    cam1/0001/0001.jpg    person 1 before camera 1, picture 1
    cam2/, cam4/, cam5/""",
    paper=WHOLE.paper,
    source=WHOLE.source,
    licence=WHOLE.licence,
    protocol="To learn from only, as FastReID has it: the pictures by the visible cameras of all "
    "people, those whom sysu_mm01 tests with among them.",
    combines=False,
    camera_names=WHOLE.camera_names,
)

_PICTURES = NameForm(re.compile(r"(?P<pid>\d{4})/\d+\.jpg"), "0001/0002.jpg: person 1, picture 2")


@described_by(CARD)
def sysu_mm(root: str | os.PathLike[str]) -> Splits:
    """Read the visible pictures of SYSU-MM01; query and gallery are empty.

    Args:
        root: folder that holds ``SYSU-MM01/``.

    Raises:
        DataError: a folder is missing, or a picture lies elsewhere.
    """
    cameras = [camera for camera, modality in CAMERAS.items() if modality == VISIBLE]
    folders = [Path(root) / CARD.folder / f"cam{camera}" for camera in cameras]
    require(CARD, *folders)
    tables = [
        table_of(read_below(folder, _PICTURES), camera=camera - 1)
        for camera, folder in zip(cameras, folders, strict=True)
    ]
    return Splits(SampleTable.joined(tables), [], [])
