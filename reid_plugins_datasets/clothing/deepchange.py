"""DeepChange (Xu and Zhu, ICCV 2023): people before seventeen cameras, over twelve months."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from reid_plugins_datasets.clothing.clothes import COLUMN, splits_with_clothes
from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.option_values import choose
from reid_plugins_datasets.reading.tables import texts, whole_numbers
from reidcore.data import DatasetCard, SampleTable, Splits, described_by, require

PARTS = {"test": "test", "val": "val"}
"""Value of the option ``part`` -> beginning of the names of the folders to test with."""

CAMIDS = {"tracklet": "tracklet", "camera": "camera"}
"""Value of the option ``camid`` -> the column that becomes the camera."""

CARD = DatasetCard(
    title="DeepChange",
    folder="DeepChangeDataset",
    layout="""\
DeepChangeDataset/
    train-set/P1_C2_3_....jpg    person 1, camera 2, outfit 3
    train-set-bbox.txt           lines such as P1_C2_3_....jpg,17,...: picture, tracklet
    test-set-query/, test-set-query-bbox.txt, test-set-gallery/, test-set-gallery-bbox.txt
    val-set-query/ ... likewise""",
    paper="Xu and Zhu. DeepChange: A Long-Term Person Re-Identification Benchmark with Clothes "
    "Change. ICCV 2023",
    source="https://github.com/PengBoXiangShang/deepchange",
    licence="non-commercial research only; given out after an agreement is signed",
    protocol="A person's pictures by the query's own camera count, but for those of the query's "
    "own tracklet: the tracklet stands for the camera (camid=camera for the usual rule). The "
    "columns clothes, camera and tracklet have all three, for test.protocol=clothes too. The "
    "layout is that which Simple-CCReID's reader expects; the release could not be looked at.",
)

_LINE = re.compile(
    r"(?P<name>[A-Za-z](?P<pid>\d+)_[A-Za-z](?P<camera>\d+)_(?P<outfit>[^_.,]+)[^,]*\.\w+)"
    r"\s*,\s*(?P<tracklet>\d+)\b.*"
)
_EXAMPLE = "P1_C2_3_....jpg,17"


@described_by(CARD)
def deepchange(
    root: str | os.PathLike[str], *, part: str = "test", camid: str = "tracklet"
) -> Splits:
    """Read DeepChange; the columns ``clothes``, ``camera`` and ``tracklet`` tell these apart.

    Args:
        root: folder that holds ``DeepChangeDataset/``.
        part: ``test`` or ``val``: which people are searched for.
        camid: what counts as the camera: ``tracklet``, as its authors have it, or ``camera``.

    Raises:
        DataError: a folder or list is missing or not as expected, names missing files, or an
            option has no such value.
    """
    directory = Path(root) / CARD.folder
    tested = choose(CARD.title, "part", part, PARTS)
    column = choose(CARD.title, "camid", camid, CAMIDS)
    names = ["train-set", f"{tested}-set-query", f"{tested}-set-gallery"]
    folders = [directory / name for name in names]
    lists = [directory / f"{name}-bbox.txt" for name in names]
    require(CARD, *folders, *lists)
    tables = [_read(folder, listed) for folder, listed in zip(folders, lists, strict=True)]
    return splits_with_clothes(*(replace(each, camids=each.columns[column]) for each in tables))


def _read(folder: Path, listed: Path) -> SampleTable:
    lines = match_lines(read_lines(listed), _LINE, _EXAMPLE, listed)
    names = [line["name"] for line in lines]
    check_files(folder, names, listed)
    cameras = whole_numbers(lines, "camera") - 1
    columns = {
        "camera": cameras,
        "tracklet": whole_numbers(lines, "tracklet"),
        COLUMN: texts(lines, "outfit"),
    }
    return SampleTable.below(folder, names, whole_numbers(lines, "pid"), cameras, columns)
