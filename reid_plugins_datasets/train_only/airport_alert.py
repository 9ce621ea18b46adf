"""ALERT Airport (Karanam et al., TPAMI 2019): travellers before six cameras, to learn from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.tables import texts, whole_numbers
from reidcore.data import (
    DatasetCard,
    LabelNames,
    SampleTable,
    Splits,
    described_by,
    leave_out,
    require,
)

FIRST_PID = 11_001
"""The lowest number of the people whom FastReID learns from."""

CARD = DatasetCard(
    title="ALERT Airport",
    folder="AirportALERT",
    layout="""\
AirportALERT/
    filepath.txt                 lines such as cam1\\11001\\....jpg: camera, person, picture
    cam1/11001/....jpg""",
    paper="Karanam et al. A Systematic Evaluation and Benchmark for Person Re-Identification: "
    "Features, Metrics, and Datasets. TPAMI 2019",
    source="http://www.northeastern.edu/alert/transitioning-technology/alert-datasets/"
    "alert-airport-re-identification-dataset/",
    licence="given out after an agreement is signed",
    protocol="To learn from only, as FastReID has it: people numbered below 11001 are left out. "
    "The layout is that which FastReID's reader expects; the release could not be looked at.",
    combines=False,
)

_LINE = re.compile(r"(?P<camera>[^\\/]+)[\\/](?P<pid>\d+)[\\/].*\.\w+")


@described_by(CARD)
def airport_alert(root: str | os.PathLike[str]) -> Splits:
    """Read the pictures that ``filepath.txt`` lists; query and gallery are empty.

    Args:
        root: folder that holds ``AirportALERT/``.

    Raises:
        DataError: the list is missing or not as expected, or names missing files.
    """
    directory = Path(root) / CARD.folder
    listed = directory / "filepath.txt"
    require(CARD, listed)
    lines = match_lines(read_lines(listed), _LINE, r"cam1\11001\....jpg", listed)
    names = [line.string.replace("\\", "/") for line in lines]
    pids = whole_numbers(lines, "pid")
    cameras, camids = np.unique(texts(lines, "camera"), return_inverse=True)
    labels = LabelNames(camids=dict(enumerate(cameras.tolist())))
    table = SampleTable.below(
        directory, names, pids, camids.reshape(-1).astype(np.int64), label_names=labels
    )
    others = table.paths.take(pids < FIRST_PID)
    leave_out(others, "images", f"of people numbered below {FIRST_PID}", expected=True)
    check_files(directory, np.array(names)[pids >= FIRST_PID].tolist(), listed)
    return Splits(table.take(pids >= FIRST_PID), [], [])
