"""PRID 2011 (Hirzer et al., SCIA 2011), one picture a person and camera."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reid_plugins_datasets.reading.draws import halved
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.one_camera import read_camera
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.reading.split_file import check_stored, stored_split
from reidcore.data import Archive, DatasetCard, OfficialCount, Splits, described_by, require
from reidcore.errors import DataError

_SHARED = range(1, 201)
"""The people whom both cameras saw; higher numbers are other people in A than in B."""

CARD = DatasetCard(
    title="PRID 2011 (single shot)",
    folder="prid2011",
    layout="""\
prid2011/
    prid_2011/
        single_shot/
            cam_a/person_0001.png
            cam_b/person_0001.png
    splits_single_shot.json    only if Torchreid drew splits""",
    paper="Hirzer et al. Person Re-Identification by Descriptive and Discriminative "
    "Classification. SCIA 2011",
    source="https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/PRID11/",
    licence="research only, as far as known; the source has the terms",
    protocol="10 random splits, whose results are averaged: 100 of the 200 people whom both "
    "cameras saw are learnt from; camera A's pictures of the other 100 are searched for among "
    "camera B's of them and of the 549 whom only B saw, who are never learnt from.",
    junk_pids=tuple(range(201, 750)),
    archives=(Archive("prid_2011.zip", "prid2011"),),
    counts=(
        OfficialCount("train", 100, 200, 2),
        OfficialCount("query", 100, 100, 1),
        OfficialCount("gallery", 649, 649, 1),
    ),
)

_SPLITS = 10
_FORM = NameForm(
    re.compile(r"person_(?P<pid>\d{4})\.png"), "person_0001.png: person 1", {"pid": range(1, 750)}
)


@described_by(CARD)
def prid(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of PRID's 10 splits: Torchreid's if it left one, else a fixed one.

    Args:
        root: folder that holds ``prid2011/``.
        split_id: which split, base 0.

    Raises:
        DataError: a folder or a picture is missing, images have names of another form, or there is
            no such split.
    """
    directory = Path(root) / CARD.folder
    folders = [directory / "prid_2011" / "single_shot" / name for name in ("cam_a", "cam_b")]
    require(CARD, *folders)
    seen_by_a, seen_by_b = (
        read_camera(folder, _FORM, ".png", camid) for camid, folder in enumerate(folders)
    )
    absent = [pid for pid in _SHARED if pid not in seen_by_a or pid not in seen_by_b]
    if absent:
        raise DataError(
            f"{len(absent)} of the 200 people whom both cameras of PRID saw lack a picture, such "
            f"as number {absent[0]}",
            "Unpack it again",
        )
    path = directory / "splits_single_shot.json"
    halves = stored_split(path, CARD.title, split_id, lambda split: _stored(split, path))
    learnt, tested = halves or _draw(split_id)
    further = [pid for pid in seen_by_b if pid not in _SHARED]
    return Splits(
        [seen[pid] for pid in learnt for seen in (seen_by_a, seen_by_b)],
        [seen_by_a[pid] for pid in tested],
        [seen_by_b[pid] for pid in [*tested, *further]],
    )


def _stored(split: Mapping[str, Any], path: Path) -> tuple[list[int], list[int]]:
    halves = [int(pid) for pid in split["train"]], [int(pid) for pid in split["test"]]
    for half in halves:
        check_stored(half, _SHARED, path)
    return halves


def _draw(split_id: int) -> tuple[list[int], list[int]]:
    check_split_id(CARD.title, split_id, _SPLITS)
    return halved(_SHARED, CARD.title, split_id)
