"""VERI-Wild (Lou et al., CVPR 2019): vehicles seen by 174 cameras, test sets of three sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from reid_plugins_datasets.reading.list_file import bad_lines, match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.names import check_range
from reid_plugins_datasets.reading.option_values import choose
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

SIZES = {"small": 3000, "medium": 5000, "large": 10000}
"""Value of the option ``size`` -> number of test vehicles, as in the names of the lists."""

CARD = DatasetCard(
    title="VERI-Wild",
    folder="VERI-Wild",
    layout="""\
VERI-Wild/
    images/00001/000001.jpg               vehicle 1, picture 1
    train_test_split/
        train_list.txt                    lines such as 00001/000001.jpg
        test_3000_query.txt, test_3000.txt (likewise 5000 and 10000)
        vehicle_info.txt                  the cameras""",
    paper="Lou et al. VERI-Wild: A Large Dataset and a New Method for Vehicle Re-Identification in "
    "the Wild. CVPR 2019",
    source="https://github.com/PKU-IMRE/VERI-Wild",
    licence="research only, as far as known; the source has the terms",
    protocol="One picture of each of 3,000, 5,000 or 10,000 vehicles (option size) is searched for "
    "among their others; pictures of the query's vehicle by the query's camera are left out "
    "(test.protocol=veriwild). Cameras keep their numbers, 1 to 174.",
    counts=(
        OfficialCount("train", 30_671, 277_797),
        OfficialCount("query", 3_000, 3_000, when={"size": "small"}),
        OfficialCount("gallery", 3_000, 38_861, when={"size": "small"}),
        OfficialCount("query", 5_000, 5_000, when={"size": "medium"}),
        OfficialCount("gallery", 5_000, 64_389, when={"size": "medium"}),
        OfficialCount("query", 10_000, 10_000, when={"size": "large"}),
        OfficialCount("gallery", 10_000, 128_517, when={"size": "large"}),
    ),
)

_INFO_HEADER = "id/image;"
_INFO = re.compile(r"(?P<picture>\d+/\d+);(?P<camera>\d+);.*")
_LINE = re.compile(r"(?P<picture>(?P<vehicle>\d+)/\d+)\.jpg")


@described_by(CARD)
def veriwild(root: str | os.PathLike[str], *, size: str = "large") -> Splits:
    """Read VERI-Wild with one of its three test sets.

    Args:
        root: folder that holds ``VERI-Wild/``.
        size: test vehicles: ``small`` (3000), ``medium`` (5000) or ``large`` (10000).

    Raises:
        DataError: a folder or list is missing or not as expected, or there is no such size.
    """
    directory = Path(root) / CARD.folder
    vehicles = choose(CARD.title, "size", size, SIZES)
    lists = directory / "train_test_split"
    pictures, info = directory / "images", lists / "vehicle_info.txt"
    wanted = [
        lists / name
        for name in ("train_list.txt", f"test_{vehicles}_query.txt", f"test_{vehicles}.txt")
    ]
    require(CARD, pictures, info, *wanted)
    cameras = _read_cameras(info)
    return Splits(*(_read(listed, pictures, cameras) for listed in wanted))


def _read_cameras(info: Path) -> dict[str, int]:
    """Return the camera of each picture, which is named without its extension."""
    lines = read_lines(info)
    start = 1 if lines[0].startswith(_INFO_HEADER) else 0
    rows = match_lines(lines[start:], _INFO, "00001/000001;84;2018-03-11 12:23:45;...", info)
    check_range(rows, "camera", range(1, 175), info)
    return {row["picture"]: int(row["camera"]) for row in rows}


def _read(listed: Path, pictures: Path, cameras: Mapping[str, int]) -> list[Sample]:
    lines = read_lines(listed)
    rows = match_lines(lines, _LINE, "00001/000001.jpg", listed)
    unseen = [row.string for row in rows if row["picture"] not in cameras]
    if unseen:
        raise bad_lines(
            unseen,
            len(lines),
            listed,
            "vehicle_info.txt does not have their cameras: get lists of one version",
        )
    check_files(pictures, [row.string for row in rows], listed)
    return [
        Sample(f"{pictures}{os.sep}{row.string}", int(row["vehicle"]), cameras[row["picture"]])
        for row in rows
    ]
