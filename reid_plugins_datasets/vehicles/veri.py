"""VeRi-776 (Liu et al., ECCV 2016): vehicles seen by twenty cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

CARD = DatasetCard(
    title="VeRi-776",
    folder="veri",
    layout="""\
veri/
    image_train/0001_c001_00016450_0.jpg    vehicle 1, camera 1, time, number
    image_query/
    image_test/""",
    paper="Liu et al. A Deep Learning-Based Approach to Progressive Vehicle Re-identification for "
    "Urban Surveillance. ECCV 2016",
    source="https://vehiclereid.github.io/VeRi/",
    licence="academic research only; given out on request",
    protocol="1,678 pictures of 200 vehicles are searched for in image_test, which holds each "
    "query too: it is left out with the other pictures of the query's vehicle by the query's "
    "camera. Image to image; the image-to-track protocol of test_track.txt is not read.",
    counts=(
        OfficialCount("train", None, 37_778, 20),
        OfficialCount("query", 200, 1_678),
        OfficialCount("gallery", 200, 11_579),
    ),
    camera_names=tuple(map(str, range(1, 21))),
)

_PICTURES = NameForm(
    re.compile(r"(?P<vehicle>\d{4})_c(?P<camera>\d{3})_\d+_\d+\.jpg"),
    "0001_c001_00016450_0.jpg: vehicle 1, camera 1",
    {"vehicle": range(1, 777), "camera": range(1, 21)},
)


@described_by(CARD)
def veri(root: str | os.PathLike[str]) -> Splits:
    """Read VeRi-776 by the names of its pictures.

    Args:
        root: folder that holds ``veri/``.

    Raises:
        DataError: a folder is missing, or a picture has a name of another form.
    """
    folders = [
        Path(root) / CARD.folder / name for name in ("image_train", "image_query", "image_test")
    ]
    require(CARD, *folders)
    return Splits(*(_read(folder) for folder in folders))


def _read(folder: Path) -> list[Sample]:
    return [
        Sample(path, int(match["vehicle"]), int(match["camera"]) - 1)
        for match, path in read_pictures(folder, _PICTURES)
    ]
