"""MSMT17 (Wei et al., CVPR 2018), version 1 or 2."""

from __future__ import annotations

import os
import re
from operator import itemgetter
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.names import check_range
from reidcore.data import (
    Archive,
    DatasetCard,
    OfficialCount,
    SampleTable,
    Splits,
    described_by,
    require,
)

CARD = DatasetCard(
    title="MSMT17",
    folder="msmt17",
    layout="""\
msmt17/
    MSMT17_V1/    (or MSMT17_V2/ with mask_train_v2/ and mask_test_v2/, where faces are masked)
        train/0000/0000_000_01_0303morning_0008_0.jpg    picture 0 of identity 0, camera 1
        test/
        list_train.txt, list_val.txt, list_query.txt, list_gallery.txt""",
    paper="Wei et al. Person Transfer GAN to Bridge Domain Gap for Person Re-Identification. "
    "CVPR 2018",
    source="http://www.pkuvmc.com/publications/msmt17.html",
    licence="not stated here: its authors hand it out on request, for research",
    protocol="Each query is searched for in the gallery; images of the query's person by the "
    "query's camera are left out. Only list_train is learnt from; with use_val=true (and with "
    "combineall) also list_val, which makes the 32,621 images that most papers learn from.",
    combined_options={"use_val": True},
    pids_apart=True,
    archives=(Archive("MSMT17_V1.tar.gz", "msmt17"), Archive("MSMT17_V2.tar.gz", "msmt17")),
    counts=(
        OfficialCount("train", 1_041, 30_248, 15, when={"use_val": False}),
        OfficialCount("train", 1_041, 32_621, 15, when={"use_val": True}),
        OfficialCount("query", 3_060, 11_659, 15),
        OfficialCount("gallery", 3_060, 82_161, 15),
    ),
    camera_names=tuple(map(str, range(1, 16))),
)

_VERSIONS = {
    "MSMT17_V1": ("train", "test"),
    "MSMT17_V2": ("mask_train_v2", "mask_test_v2"),
}
_LINE = re.compile(r"(?P<name>\d+/\d+_\d+_(?P<camera>\d{2})_\w+\.jpg)\s+(?P<pid>\d+)")
_GROUPS = ("name", "pid", "camera")
_EXAMPLE = "0000/0000_000_01_0303morning_0008_0.jpg 0"


@described_by(CARD)
def msmt17(root: str | os.PathLike[str], *, use_val: bool = False) -> Splits:
    """Read MSMT17; version 1 if both versions are there.

    Args:
        root: folder that holds ``msmt17/``.
        use_val: whether the pictures of ``list_val.txt`` are learnt from too.

    Raises:
        DataError: a folder or list is missing, lines have another form, or name missing files.
    """
    directory = Path(root) / CARD.folder
    version = next((name for name in _VERSIONS if (directory / name).is_dir()), "MSMT17_V1")
    release = directory / version
    train, test = (release / folder for folder in _VERSIONS[version])
    learnt = ("train", "val") if use_val else ("train",)
    lists = {name: release / f"list_{name}.txt" for name in (*learnt, "query", "gallery")}
    require(CARD, train, test, *lists.values())
    return Splits(
        _read(train, *(lists[name] for name in learnt)),
        _read(test, lists["query"]),
        _read(test, lists["gallery"]),
    )


def _read(folder: Path, *lists: Path) -> SampleTable:
    """Read the samples that lists name, sorted by path."""
    matches = [match for path in lists for match in _lines(path, folder)]
    matches.sort(key=itemgetter("name", "pid"))
    names, pids, cameras = (list(map(itemgetter(group), matches)) for group in _GROUPS)
    camids = np.array(list(map(int, cameras)), dtype=np.int64) - 1
    return SampleTable.below(folder, names, np.array(list(map(int, pids)), dtype=np.int64), camids)


def _lines(path: Path, folder: Path) -> list[re.Match[str]]:
    matches = match_lines(read_lines(path), _LINE, _EXAMPLE, path)
    check_range(matches, "camera", range(1, 16), path)
    check_files(folder, [match["name"] for match in matches], path)
    return matches
