"""QMUL GRID (Loy et al., CVPR 2009): people before eight cameras of an underground station."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from reid_plugins_datasets.reading.matlab import load_mat
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import Archive, DatasetCard, OfficialCount, Sample, Splits, described_by, require
from reidcore.errors import DataError

DISTRACTOR_PID = 0
"""People without a probe: searched in, never searched for."""

CARD = DatasetCard(
    title="QMUL GRID",
    folder="grid",
    layout="""\
grid/
    underground_reid/
        probe/0001_1_25004_107_32_106_221.jpeg    person 1, camera 1
        gallery/    0000_... are people without a probe
        features_and_partitions.mat""",
    paper="Loy et al. Multi-camera activity correlation analysis. CVPR 2009",
    source="http://personal.ie.cuhk.edu.hk/~ccloy/downloads_qmul_underground_reid.html",
    licence="not stated",
    protocol="10 fixed partitions, whose results are averaged: 125 people are learnt from; the "
    "probes of the other 125 are searched for among their gallery pictures and those of the "
    "people without a probe (0), who are never learnt from.",
    junk_pids=(DISTRACTOR_PID,),
    archives=(Archive("underground_reid.zip", "grid"),),
    counts=(
        OfficialCount("train", 125, 250),
        OfficialCount("query", 125, 125),
        OfficialCount("gallery", 126, 900),
    ),
    camera_names=tuple("12345678"),
)

_PARTITIONS = "features_and_partitions.mat"
_PEOPLE = 2  # place of the training people among the fields of a partition
_FORM = NameForm(
    re.compile(r"(?P<pid>\d{4})_(?P<camera>\d)_[-\d_]+\.jpeg"),
    "0001_1_25004_107_32_106_221.jpeg: person 1, camera 1",
    {"pid": range(251), "camera": range(1, 9)},
)


@described_by(CARD)
def grid(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of GRID's 10 partitions; identity 0 of the gallery are the people without a probe.

    Args:
        root: folder that holds ``grid/``.
        split_id: which partition, base 0.

    Raises:
        DataError: a folder or the partitions are missing or damaged, images have names of another
            form, or there is no such partition.
        UserError: scipy is missing.
    """
    release = Path(root) / CARD.folder / "underground_reid"
    folders = [release / "probe", release / "gallery"]
    require(CARD, *folders, release / _PARTITIONS)
    probes, others = (_read(folder) for folder in folders)
    learnt = _people(release / _PARTITIONS, split_id)
    if absent := learnt - {sample.pid for sample in probes}:
        raise DataError(
            f"{len(absent)} training people of partition {split_id} of GRID have no probe, such as "
            f"number {min(absent)}",
            "Unpack it again",
        )
    return Splits(
        [sample for sample in [*probes, *others] if sample.pid in learnt],
        [sample for sample in probes if sample.pid not in learnt],
        [sample for sample in others if sample.pid not in learnt],
    )


def _read(folder: Path) -> list[Sample]:
    return [
        Sample(path, int(match["pid"]), int(match["camera"]) - 1)
        for match, path in read_pictures(folder, _FORM, (".jpeg",))
    ]


def _people(path: Path, split_id: int) -> set[int]:
    """Return the numbers of the people that a partition learns from."""
    cells: Any = load_mat(path, "trainIdxAll")["trainIdxAll"].flatten()
    check_split_id(CARD.title, split_id, len(cells))
    try:
        return {int(number) for number in cells[split_id][0][0][_PEOPLE].flatten()}
    except (IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"partition {split_id} in {str(path)!r} is not as expected ({error})", "Get it again"
        ) from error
