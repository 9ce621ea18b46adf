"""iLIDS-VID (Wang et al., ECCV 2014): 300 people, a tracklet by each of two cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.listing import list_folders
from reid_plugins_datasets.reading.matlab import load_integers
from reid_plugins_datasets.reading.names import NameForm, shown
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.video.tracklets import two_camera_splits
from reidcore.data import Archive, DatasetCard, OfficialCount, Splits, described_by, require
from reidcore.errors import DataError

CARD = DatasetCard(
    title="iLIDS-VID",
    folder="ilids-vid",
    layout="""\
ilids-vid/
    i-LIDS-VID/sequences/
        cam1/person001/cam1_person001_00317.png    person 1, camera 1, frame 317
        cam2/person001/
    train-test people splits/train_test_splits_ilidsvid.mat""",
    paper="Wang et al. Person Re-Identification by Video Ranking. ECCV 2014",
    source="https://xiatian-zhu.github.io/downloads_qmul_iLIDS-VID_ReID_dataset.html",
    licence="research only, as far as known; the source has the terms",
    protocol="Ten random halvings, chosen by split_id: 150 people are learnt from, the other 150 "
    "are searched for by their tracklet of camera 1 among those of camera 2. The result "
    "is the mean over the ten.",
    data_type="video",
    pids_apart=True,
    archives=(Archive("iLIDS-VID.tar", "ilids-vid"),),
    counts=(
        OfficialCount("train", 150, 300, 2),
        OfficialCount("query", 150, 150, 1),
        OfficialCount("gallery", 150, 150, 1),
    ),
)

_FRAMES = NameForm(
    re.compile(r"cam[12]_person\d+_(?P<frame>\d+)\.png"),
    "cam1_person001_00317.png: camera 1, person 1, frame 317",
)


@described_by(CARD)
def ilidsvid(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of the ten halvings of iLIDS-VID.

    Identities are places in the sorted list of each half's people.

    Args:
        root: folder that holds ``ilids-vid/``.
        split_id: which halving, base 0.

    Raises:
        DataError: a folder or the splits are missing or not as expected, or there is no such split.
        UserError: scipy is missing.
    """
    directory = Path(root) / CARD.folder
    sequences = directory / "i-LIDS-VID" / "sequences"
    cameras = (sequences / "cam1", sequences / "cam2")
    splits = directory / "train-test people splits" / "train_test_splits_ilidsvid.mat"
    require(CARD, *cameras, splits)
    people = _people(cameras)
    test, train = _halves(splits, split_id, len(people))
    return two_camera_splits(
        [people[place] for place in train],
        [people[place] for place in test],
        cameras,
        ".png",
        _FRAMES,
    )


def _people(cameras: tuple[Path, Path]) -> list[str]:
    """Return the sorted folder names of the people, whom both cameras must have seen."""
    first, second = ([folder.name for folder in list_folders(camera)] for camera in cameras)
    lonely = sorted(set(first) ^ set(second))
    if lonely:
        raise DataError(
            f"{len(lonely)} people lie below only one of {str(cameras[0])!r} and "
            f"{cameras[1].name}: {shown(lonely)}",
            "Unpack the dataset again",
        )
    return first


def _halves(path: Path, split_id: int, people: int) -> tuple[list[int], list[int]]:
    """Return the places, base 0, of the people to test with and to learn from."""
    table = load_integers(path, "ls_set")
    check_split_id(CARD.title, split_id, len(table))
    order: list[int] = (table[split_id] - 1).tolist()
    if sorted(order) != list(range(people)):
        raise DataError(
            f"split {split_id} in {str(path)!r} orders {len(order)} people, and {people} have a "
            "folder",
            "The splits count places in the sorted folders: all of them must be there",
        )
    half = len(order) // 2
    return sorted(order[:half]), sorted(order[half:])
