"""RegDB (Nguyen et al., Sensors 2017): people by a visible and a thermal camera side by side."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.modalities.modality import THERMAL, VISIBLE, with_modality
from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.option_values import check_split_id, choose
from reid_plugins_datasets.reading.tables import whole_numbers
from reidcore.data import DatasetCard, SampleTable, Splits, described_by, require

DIRECTIONS = {
    "visible_to_thermal": (VISIBLE, THERMAL),
    "thermal_to_visible": (THERMAL, VISIBLE),
}
"""Value of the option ``direction`` -> what is searched for, and what is searched in."""

TRIALS = 10

CAMERAS = (VISIBLE, THERMAL)
"""The kind of camera; its place is the camera number."""

CARD = DatasetCard(
    title="RegDB",
    folder="RegDB",
    layout="""\
RegDB/
    Visible/, Thermal/      the pictures, wherever the lists say
    idx/
        train_visible_1.txt    lines such as Visible/1/....bmp 0:
                               picture, person; _1 to _10 are the trials
        train_thermal_1.txt, test_visible_1.txt, test_thermal_1.txt""",
    paper="Nguyen et al. Person Recognition System Based on a Combination of Body Images from "
    "Visible Light and Thermal Cameras. Sensors 2017",
    source="http://dm.dongguk.edu/link.html; the lists of the trials are those that "
    "https://github.com/mangye16/Cross-Modal-Re-ID-baseline reads",
    licence="research only, as far as known; given out after an agreement is signed",
    protocol="Ten random halvings of the people (trials 1 to 10, chosen by split_id 0 to 9), each "
    "with a model of its own; results are averaged. The pictures by one camera of the people of "
    "the test half are searched for among those by the other (option direction; "
    "test.protocol=regdb). Visible is camera 0 and thermal camera 1; the column modality says it "
    "in words. How pictures are named below their folders could not be checked at the source: it "
    "is left to the lists.",
    pids_apart=True,
    camera_names=CAMERAS,
)

_LINE = re.compile(r"(?P<name>\S.*\.\w+)\s+(?P<pid>\d+)")
_EXAMPLE = "Visible/1/....bmp 0"


@described_by(CARD)
def regdb(
    root: str | os.PathLike[str], *, direction: str = "visible_to_thermal", split_id: int = 0
) -> Splits:
    """Read one of RegDB's ten trials; the column ``modality`` says ``visible`` or ``thermal``.

    Args:
        root: folder that holds ``RegDB/``.
        direction: ``visible_to_thermal`` or ``thermal_to_visible``: what is searched for where.
        split_id: which trial, base 0.

    Raises:
        DataError: a list is missing or not as expected, names missing files, or an option has no
            such value.
    """
    directory = Path(root) / CARD.folder
    query, gallery = choose(CARD.title, "direction", direction, DIRECTIONS)
    check_split_id(CARD.title, split_id, TRIALS)
    lists = {
        (half, modality): directory / "idx" / f"{half}_{modality}_{split_id + 1}.txt"
        for half in ("train", "test")
        for modality in CAMERAS
    }
    require(CARD, *lists.values())
    seen = {
        (half, modality): _read(directory, listed, modality)
        for (half, modality), listed in lists.items()
    }
    return Splits(
        SampleTable.joined([seen["train", modality] for modality in CAMERAS]),
        seen["test", query],
        seen["test", gallery],
    )


def _read(directory: Path, listed: Path, modality: str) -> SampleTable:
    lines = match_lines(read_lines(listed), _LINE, _EXAMPLE, listed)
    names = [line["name"] for line in lines]
    check_files(directory, names, listed)
    pids = whole_numbers(lines, "pid")
    camids = np.full_like(pids, CAMERAS.index(modality))
    return with_modality(SampleTable.below(directory, names, pids, camids), modality)
