"""VIPeR (Gray et al., PETS 2007): two pictures a person, one by each camera."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.draws import halved
from reid_plugins_datasets.reading.names import NameForm, shown
from reid_plugins_datasets.reading.one_camera import read_camera
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.reading.split_file import stored_samples, stored_split
from reidcore.data import Archive, DatasetCard, OfficialCount, Sample, Splits, described_by, require
from reidcore.errors import DataError

CARD = DatasetCard(
    title="VIPeR",
    folder="viper",
    layout="""\
viper/
    VIPeR/
        cam_a/000_45.bmp    person 0, seen at an angle of 45 degrees
        cam_b/000_90.bmp
    splits.json    only if Torchreid drew splits""",
    paper="Gray et al. Evaluating appearance models for recognition, reacquisition, and tracking. "
    "PETS 2007",
    source="https://vision.soe.ucsc.edu/node/178",
    licence="not stated",
    protocol="10 random halves of the people, each used twice: splits 2i and 2i+1 learn from the "
    "same half, and search for camera A's pictures in camera B's and the other way round. Results "
    "are averaged over the 20 splits.",
    pids_apart=True,
    archives=(Archive("VIPeR.v1.0.zip", "viper"),),
    counts=(
        OfficialCount("train", 316, 632, 2),
        OfficialCount("query", 316, 316, 1),
        OfficialCount("gallery", 316, 316, 1),
    ),
)

_SPLITS = 20
_FORM = NameForm(re.compile(r"(?P<pid>\d{3})_\d+\.bmp"), "000_45.bmp: person 0, 45 degrees")


@described_by(CARD)
def viper(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of VIPeR's 20 splits: Torchreid's if it left ``splits.json``, else a fixed one.

    Args:
        root: folder that holds ``viper/``.
        split_id: which split, base 0.

    Raises:
        DataError: a folder is missing, images have names of another form, somebody was seen by one
            camera only, or there is no such split.
    """
    directory = Path(root) / CARD.folder
    folders = [directory / "VIPeR" / name for name in ("cam_a", "cam_b")]
    require(CARD, *folders)
    seen = [read_camera(folder, _FORM, ".bmp", camid) for camid, folder in enumerate(folders)]
    if odd := seen[0].keys() ^ seen[1].keys():
        raise DataError(
            f"{len(odd)} people of VIPeR have no picture in one of cam_a and cam_b: "
            f"{shown(sorted(odd))}",
            "Unpack it again",
        )
    pictures = [str(sample.path) for camera in seen for sample in camera.values()]
    path = directory / "splits.json"
    stored = stored_split(
        path, CARD.title, split_id, lambda split: stored_samples(split, pictures, 2, path)
    )
    return stored or _drawn(seen, split_id)


def _drawn(seen: list[dict[int, Sample]], split_id: int) -> Splits:
    check_split_id(CARD.title, split_id, _SPLITS)
    draw, swapped = divmod(split_id, 2)
    train, test = halved(seen[0], CARD.title, draw)
    query, gallery = (seen[1], seen[0]) if swapped else (seen[0], seen[1])
    return Splits(
        [camera[pid] for pid in train for camera in seen],
        [query[pid] for pid in test],
        [gallery[pid] for pid in test],
    )
