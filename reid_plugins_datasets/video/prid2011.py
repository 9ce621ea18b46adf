"""PRID 2011, multi-shot (Hirzer et al., SCIA 2011): tracklets of 178 people by two cameras."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from reid_plugins_datasets.people.prid import CARD as SINGLE_SHOT
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.video.tracklets import two_camera_splits
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by, require
from reidcore.errors import DataError
from reidcore.utils import read_json

CARD = DatasetCard(
    title="PRID 2011 (multi-shot)",
    folder="prid2011",
    layout="""\
prid2011/
    splits_prid2011.json
    prid_2011/multi_shot/
        cam_a/person_0001/0001.png    person 1, camera a, frame 1
        cam_b/person_0001/""",
    paper=SINGLE_SHOT.paper,
    source=f"{SINGLE_SHOT.source}; splits_prid2011.json: the link in Torchreid's documentation of "
    "its datasets",
    licence=SINGLE_SHOT.licence,
    protocol="Ten random halvings, chosen by split_id, of the 178 people with more than 21 frames "
    "by both cameras: 89 are learnt from, the other 89 are searched for by their tracklet of "
    "camera a among those of camera b. The result is the mean over the ten.",
    data_type="video",
    pids_apart=True,
    archives=SINGLE_SHOT.archives,
    counts=(
        OfficialCount("train", 89, 178, 2),
        OfficialCount("query", 89, 89, 1),
        OfficialCount("gallery", 89, 89, 1),
    ),
)

_FRAMES = NameForm(re.compile(r"(?:.*\D)?(?P<frame>\d+)\.png"), "0001.png: frame 1")


@described_by(CARD)
def prid2011(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of the ten halvings of PRID 2011's tracklets.

    Identities are places in the lists of ``splits_prid2011.json``, which also says who is used.

    Args:
        root: folder that holds ``prid2011/``.
        split_id: which halving, base 0.

    Raises:
        DataError: a folder or the splits are missing or not as expected, or there is no such split.
    """
    directory = Path(root) / CARD.folder
    shots = directory / "prid_2011" / "multi_shot"
    cameras = (shots / "cam_a", shots / "cam_b")
    splits = directory / "splits_prid2011.json"
    require(CARD, *cameras, splits)
    train, test = _halves(splits, split_id)
    return two_camera_splits(train, test, cameras, ".png", _FRAMES)


def _halves(path: Path, split_id: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return the folder names of the people to learn from and to test with."""
    splits = read_json(path)
    if not isinstance(splits, list) or not all(map(_is_split, splits)):
        raise DataError(
            f"{str(path)!r} is not a list of splits",
            'Expected [{"train": ["person_0001", ...], "test": [...]}, ...]',
        )
    check_split_id(CARD.title, split_id, len(splits))
    train, test = splits[split_id]["train"], splits[split_id]["test"]
    if len({*train, *test}) < len(train) + len(test):
        raise DataError(
            f"split {split_id} in {str(path)!r} names somebody twice",
            "Training and test must not share people: get the file again",
        )
    return train, test


def _is_split(split: object) -> bool:
    return isinstance(split, Mapping) and all(
        isinstance(split.get(half), list) and all(map(_is_person, split[half]))
        for half in ("train", "test")
    )


def _is_person(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"person_\d+", name) is not None
