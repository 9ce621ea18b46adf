"""LaST (Shu et al., TCSVT 2021): people in films, in whatever they wear there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reid_plugins_datasets.clothing.clothes import COLUMN, numbered_outfits
from reid_plugins_datasets.reading.listing import list_folders
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import choose
from reid_plugins_datasets.reading.pictures import Picture, read_pictures
from reid_plugins_datasets.reading.tables import table_of, texts
from reidcore.data import DatasetCard, SampleTable, Splits, described_by, require

PARTS = {"test": "test", "val": "val"}
"""Value of the option ``part`` -> the folder to test with."""

CARD = DatasetCard(
    title="LaST",
    folder="last",
    layout="""\
last/
    train/000001/000001_0012_003_02.jpg    person 1, outfit 2
    val/query/, val/gallery/000002/
    test/query/, test/gallery/000003/""",
    paper="Shu et al. Large-Scale Spatio-Temporal Person Re-identification: Algorithms and "
    "Benchmark. TCSVT 2021",
    source="https://github.com/shuxjweb/last",
    licence="research only, as far as known; the source has the terms",
    protocol="The pictures of test/query (or val/query: option part) are searched for in the "
    "gallery beside them. There are no cameras: each picture counts as seen by its own, so that "
    "nothing is left out. Outfits are known in training alone, where the column clothes has them.",
)

_TRAIN = NameForm(
    re.compile(r"(?P<pid>\d+)_(?:.*_)?(?P<outfit>[^_.]+)\.jpg"),
    "000001_0012_003_02.jpg: person 1, outfit 02",
)
_TEST = NameForm(re.compile(r"(?P<pid>\d+)(?:_.*)?\.jpg"), "000001_0012_003_02.jpg: person 1")


@described_by(CARD)
def last(root: str | os.PathLike[str], *, part: str = "test") -> Splits:
    """Read LaST; the column ``clothes`` of the training samples tells outfits apart.

    Args:
        root: folder that holds ``last/``.
        part: ``test`` or ``val``: which people are searched for.

    Raises:
        DataError: a folder is missing, a picture has a name of another form, or there is no such
            part.
    """
    directory = Path(root) / CARD.folder
    tested = directory / choose(CARD.title, "part", part, PARTS)
    query, gallery = tested / "query", tested / "gallery"
    require(CARD, directory / "train", query, gallery)
    asked = _of_own_cameras(read_pictures(query, _TEST))
    return Splits(
        _dressed(_by_person(directory / "train", _TRAIN)),
        asked,
        _of_own_cameras(_by_person(gallery, _TEST), first_camid=len(asked)),
    )


def _by_person(folder: Path, form: NameForm) -> list[Picture]:
    return [
        picture for person in list_folders(folder) for picture in read_pictures(person.path, form)
    ]


def _dressed(pictures: Sequence[Picture]) -> SampleTable:
    outfits = texts([match for match, _ in pictures], "outfit")
    table = _of_own_cameras(pictures)
    (dressed,) = numbered_outfits([replace(table, columns={COLUMN: outfits})])
    return dressed


def _of_own_cameras(pictures: Sequence[Picture], first_camid: int = 0) -> SampleTable:
    """Give each picture a camera of its own."""
    camids = np.arange(first_camid, first_camid + len(pictures), dtype=np.int64)
    return replace(table_of(pictures, camera=0), camids=camids)
