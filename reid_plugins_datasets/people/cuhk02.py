"""CUHK02 (Li and Wang, CVPR 2013): five pairs of cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.listing import PNG
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

CARD = DatasetCard(
    title="CUHK02",
    folder="cuhk02",
    layout="""\
cuhk02/
    Dataset/
        P1/ ... P5/    pairs of cameras
            cam1/001_....png    person 1 of this pair
            cam2/""",
    paper="Li and Wang. Locally Aligned Feature Transforms across Views. CVPR 2013",
    source="http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html",
    licence="not stated",
    protocol="The pairs P1 to P4 are learnt from; what P5's first camera saw is searched for in "
    "what its second camera saw. P1 has the people of CUHK01.",
    pids_apart=True,
    counts=(
        OfficialCount("train", 1_577, 6_308, 8),
        OfficialCount("query", 239, 478, 1),
        OfficialCount("gallery", 239, 478, 1),
    ),
)

_PAIRS = 5
_FORM = NameForm(re.compile(r"(?P<person>\d{1,4})_.+\.png"), "001_1.png: person 1 of this pair")
_PEOPLE_A_PAIR = 10_000
"""More than a pair has, so that numbers of two pairs stay apart."""


@described_by(CARD)
def cuhk02(root: str | os.PathLike[str]) -> Splits:
    """Read CUHK02; the training identities of two pairs are different people.

    Args:
        root: folder that holds ``cuhk02/Dataset``.

    Raises:
        DataError: a folder is missing, or images have names of another form.
    """
    release = Path(root) / CARD.folder / "Dataset"
    folders = [release / f"P{pair}" / f"cam{camera}" for pair in range(1, 6) for camera in (1, 2)]
    require(CARD, *folders)
    *train, query, gallery = (_read(folder, camid) for camid, folder in enumerate(folders))
    return Splits([sample for camera in train for sample in camera], query, gallery)


def _read(folder: Path, camid: int) -> list[Sample]:
    pair = camid // 2
    # The test pair keeps its own numbers.
    first = 0 if pair == _PAIRS - 1 else pair * _PEOPLE_A_PAIR
    return [
        Sample(path, first + int(match["person"]), camid)
        for match, path in read_pictures(folder, _FORM, PNG)
    ]
