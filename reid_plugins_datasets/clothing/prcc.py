"""PRCC (Yang et al., TPAMI 2021): three cameras, other clothes before the third one."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.clothing.clothes import COLUMN, splits_with_clothes
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import check_split_id, choose
from reid_plugins_datasets.reading.pictures import person_folders, read_pictures
from reidcore.data import DatasetCard, OfficialCount, SampleTable, Splits, described_by, require

CAMERAS = "ABC"
GALLERY = "A"
QUERIES = {"changed": "C", "same": "B"}
"""Value of the option ``query`` -> the camera before which the queries were taken."""

_CHANGED = "C"
_SEED = 3
"""Seed of the stream from which the published draws of the gallery come, one after the other."""

DRAWS = 10

CARD = DatasetCard(
    title="PRCC",
    folder="prcc",
    layout="""\
prcc/rgb/
    train/001/A_cropped_rgb001.jpg    person 1 before camera A
    val/001/                          further pictures of the training people
    test/A/002/cropped_rgb001.jpg     person 2; test/B/, test/C/ likewise""",
    paper="Yang et al. Person Re-identification by Contour Sketch under Moderate Clothing Change. "
    "TPAMI 2021",
    source="http://www.isee-ai.cn/~yangqize/clothing.html",
    licence="research only, as far as known; the source has the terms",
    protocol="Pictures by camera C, in other clothes (query=changed), or by camera B, in the same "
    "clothes (query=same), are searched for among those by camera A: among all of them, or with "
    "single_shot among one of each person, drawn at random; ten draws, chosen by split_id, are "
    "averaged. Without single_shot test.protocol=prcc makes ten draws in one test.",
    counts=(
        OfficialCount("train", 150, 17_896, 3, when={"use_val": False}),
        OfficialCount("query", 71, 3_543, 1, when={"query": "changed"}),
        OfficialCount("query", 71, 3_873, 1, when={"query": "same"}),
        OfficialCount("gallery", 71, 3_384, 1, when={"single_shot": False}),
        OfficialCount("gallery", 71, 71, 1, when={"single_shot": True}),
    ),
    camera_names=tuple("ABC"),
)

_TRAIN = NameForm(
    re.compile(r"(?P<camera>[ABC])_cropped_rgb\d+\.jpg"), "A_cropped_rgb001.jpg: camera A"
)
_TEST = NameForm(re.compile(r"cropped_rgb\d+\.jpg"), "cropped_rgb001.jpg")


@described_by(CARD)
def prcc(
    root: str | os.PathLike[str],
    *,
    query: str = "changed",
    single_shot: bool = False,
    split_id: int = 0,
    use_val: bool = False,
) -> Splits:
    """Read the photographs of PRCC; the column ``clothes`` tells outfits apart.

    Args:
        root: folder that holds ``prcc/``.
        query: ``changed`` to search for people in other clothes, ``same`` for the same clothes.
        single_shot: whether the gallery is one picture of each person instead of all.
        split_id: with ``single_shot``, which of ten draws of the gallery, base 0.
        use_val: whether the pictures of ``val`` are learnt from too.

    Raises:
        DataError: a folder is missing, a picture has a name of another form, or an option has no
            such value.
    """
    directory = Path(root) / CARD.folder / "rgb"
    asked = choose(CARD.title, "query", query, QUERIES)
    check_split_id(CARD.title, split_id, DRAWS)
    halves = [directory / name for name in (["train", "val"] if use_val else ["train"])]
    require(CARD, *halves, directory / "test" / asked, directory / "test" / GALLERY)
    train = SampleTable.joined([_read_train(half) for half in halves])
    searched = _read_test(directory, GALLERY)
    if single_shot:
        searched = _one_each(searched, split_id)
    return splits_with_clothes(train, _read_test(directory, asked), searched)


def _read_train(half: Path) -> SampleTable:
    seen = [
        (path, pid, match["camera"])
        for pid, folder in person_folders(half)
        for match, path in read_pictures(folder, _TRAIN)
    ]
    return _table(seen)


def _read_test(directory: Path, camera: str) -> SampleTable:
    seen = [
        (path, pid, camera)
        for pid, folder in person_folders(directory / "test" / camera)
        for _, path in read_pictures(folder, _TEST)
    ]
    return _table(seen)


def _table(seen: list[tuple[str, int, str]]) -> SampleTable:
    """Return the table of (path, person, camera); the clothes are others before `_CHANGED`."""
    camids = np.array([CAMERAS.index(camera) for _, _, camera in seen], dtype=np.int64)
    changed = (camids == CAMERAS.index(_CHANGED)).astype(np.int64)
    pids = np.array([pid for _, pid, _ in seen], dtype=np.int64)
    return SampleTable.below("", [path for path, _, _ in seen], pids, camids, {COLUMN: changed})


def _one_each(gallery: SampleTable, number: int) -> SampleTable:
    people: dict[int, list[int]] = {}
    for row, pid in enumerate(gallery.pids.tolist()):
        people.setdefault(pid, []).append(row)
    stream = random.Random(_SEED)
    draws = [[stream.choice(people[pid]) for pid in sorted(people)] for _ in range(DRAWS)]
    return gallery.take(np.array(draws[number], dtype=np.int64))
