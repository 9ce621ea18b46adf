"""CUHK01 (Li et al., ACCV 2012): two pictures a person by each of two cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.draws import halved
from reid_plugins_datasets.reading.listing import PNG
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.split_file import stored_samples, stored_split
from reidcore.data import Archive, DatasetCard, OfficialCount, Sample, Splits, described_by, require

CARD = DatasetCard(
    title="CUHK01",
    folder="cuhk01",
    layout="""\
cuhk01/
    campus/0001001.png    person 1; pictures 001 and 002 by camera A, 003 and 004 by camera B
    splits.json    only if Torchreid drew splits""",
    paper="Li et al. Human Reidentification with Transferred Metric Learning. ACCV 2012",
    source="http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html",
    licence="not stated",
    protocol="10 random halves of the people, each used twice: splits 2i and 2i+1 learn from the "
    "same half, and search for camera A's pictures in camera B's and the other way round. Results "
    "are averaged over the 20 splits.",
    pids_apart=True,
    archives=(Archive("CUHK01.zip", "cuhk01"),),
    counts=(
        OfficialCount("train", 485, 1_940, 2),
        OfficialCount("query", 486, 972, 1),
        OfficialCount("gallery", 486, 972, 1),
    ),
)

_SPLITS = 20
_FORM = NameForm(
    re.compile(r"(?P<pid>\d{4})(?P<picture>\d{3})\.png"),
    "0001003.png: person 1, picture 3, by camera B",
    {"picture": range(1, 5)},
)


@described_by(CARD)
def cuhk01(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of CUHK01's 20 splits: Torchreid's if it left ``splits.json``, else a fixed one.

    Args:
        root: folder that holds ``cuhk01/``.
        split_id: which split, base 0.

    Raises:
        DataError: the folder is missing, images have names of another form, or there is no such
            split.
    """
    directory = Path(root) / CARD.folder
    campus = directory / "campus"
    require(CARD, campus)
    samples = [
        Sample(path, int(match["pid"]) - 1, (int(match["picture"]) - 1) // 2)
        for match, path in read_pictures(campus, _FORM, PNG)
    ]
    pictures = [str(sample.path) for sample in samples]
    path = directory / "splits.json"
    stored = stored_split(
        path, CARD.title, split_id, lambda split: stored_samples(split, pictures, 1, path)
    )
    return stored or _drawn(samples, split_id)


def _drawn(samples: list[Sample], split_id: int) -> Splits:
    check_split_id(CARD.title, split_id, _SPLITS)
    draw, searched_for = divmod(split_id, 2)
    learnt = set(halved({sample.pid for sample in samples}, CARD.title, draw)[0])
    test = [sample for sample in samples if sample.pid not in learnt]
    return Splits(
        [sample for sample in samples if sample.pid in learnt],
        [sample for sample in test if sample.camid == searched_for],
        [sample for sample in test if sample.camid != searched_for],
    )
