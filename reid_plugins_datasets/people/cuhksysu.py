"""CUHK-SYSU (Xiao et al., CVPR 2017), cut into pictures of people, to learn from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

CARD = DatasetCard(
    title="CUHK-SYSU",
    folder="cuhksysu",
    layout="""\
cuhksysu/
    cropped_images/p11422_s16929_1.jpg    person 11422, cut from scene 16929""",
    paper="Xiao et al. Joint Detection and Identification Feature Learning for Person Search. "
    "CVPR 2017",
    source="http://www.ee.cuhk.edu.hk/~xgwang/PS/dataset.html; cut out: the Google Drive link in "
    "Torchreid's list of datasets",
    licence="not stated",
    protocol="To learn from only. No camera is known: all are camera 0.",
    combines=False,
    counts=(OfficialCount("train", 11_934, 34_574, 1),),
)

_FORM = NameForm(
    re.compile(r"p(?P<pid>\d+)_s\d+_\d+\.jpg"), "p11422_s16929_1.jpg: person 11422, scene 16929"
)


@described_by(CARD)
def cuhksysu(root: str | os.PathLike[str]) -> Splits:
    """Read CUHK-SYSU's cut-out people; query and gallery are empty.

    Args:
        root: folder that holds ``cuhksysu/cropped_images``.

    Raises:
        DataError: the folder is missing, or images have names of another form.
    """
    folder = Path(root) / CARD.folder / "cropped_images"
    require(CARD, folder)
    train = [Sample(path, int(match["pid"]), 0) for match, path in read_pictures(folder, _FORM)]
    return Splits(train, [], [])
