"""SYSU-MM01 (Wu et al., IJCV 2020): people by four visible and two infrared cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.modalities.modality import COLUMN, INFRARED, VISIBLE, with_modality
from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.names import NameForm, shown
from reid_plugins_datasets.reading.pictures import read_below
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import (
    DatasetCard,
    Int64Array,
    OfficialCount,
    SampleTable,
    Splits,
    described_by,
    leave_out,
    require,
)
from reidcore.errors import DataError, counted

CAMERAS = {1: VISIBLE, 2: VISIBLE, 3: INFRARED, 4: VISIBLE, 5: VISIBLE, 6: INFRARED}
"""Camera, as the folders number it -> its kind."""

CARD = DatasetCard(
    title="SYSU-MM01",
    folder="SYSU-MM01",
    layout="""\
SYSU-MM01/
    cam1/0001/0001.jpg      person 1 before camera 1, picture 1
    cam2/, ... cam6/        3 and 6 are infrared
    exp/train_id.txt        persons in one line, with commas between
    exp/val_id.txt, exp/test_id.txt""",
    paper="Wu et al. RGB-IR Person Re-Identification by Cross-Modality Similarity Preservation. "
    "IJCV 2020",
    source="https://github.com/wuancong/SYSU-MM01",
    licence="research only; given out after an agreement is signed",
    protocol="The infrared pictures of 96 people are searched for among their visible ones. "
    "test.protocol=sysu_mm01 draws the gallery of each trial, by all four cameras or the two "
    "indoors, with one or ten pictures of a person by a camera, and leaves camera 2 out for "
    "queries by camera 3, which stands in the same place. 296 people are learnt from; with "
    "use_val=true (and with combineall) also the 99 of val_id.txt, as most papers do.",
    combined_options={"use_val": True},
    counts=(
        # Pictures as the authors' file of permutations, rand_perm_cam.mat, has them.
        OfficialCount("train", 296, 30_213, 6, when={"use_val": False}),
        OfficialCount("train", 395, None, 6, when={"use_val": True}),
        OfficialCount("query", 96, 3_803, 2),
        OfficialCount("gallery", 96, 6_775, 4),
    ),
    camera_names=tuple(map(str, CAMERAS)),
)

_PICTURES = NameForm(
    re.compile(r"(?P<pid>\d{4})/(?P<picture>\d+)\.jpg"), "0001/0002.jpg: person 1, picture 2"
)
_PEOPLE = re.compile(r"\d+(\s*,\s*\d+)*,?")


@described_by(CARD)
def sysu_mm01(root: str | os.PathLike[str], *, use_val: bool = False) -> Splits:
    """Read SYSU-MM01.

    The column ``modality`` says ``visible`` or ``infrared``, the column ``picture`` the number in
    the name of a file, which the published permutations of the trials count. Pictures follow one
    another by camera, person and number.

    Args:
        root: folder that holds ``SYSU-MM01/``.
        use_val: whether the people of ``val_id.txt`` are learnt from too.

    Raises:
        DataError: a folder or list is missing or not as expected, or a picture lies elsewhere.
    """
    directory = Path(root) / CARD.folder
    folders = [directory / f"cam{camera}" for camera in CAMERAS]
    learnt = ("train", "val") if use_val else ("train",)
    lists = [directory / "exp" / f"{name}_id.txt" for name in (*learnt, "test")]
    require(CARD, *folders, *lists)
    *people, tested = (_read_people(listed) for listed in lists)
    trained = np.concatenate(people)
    _check_apart(trained, tested)
    cameras = zip(folders, CARD.camera_names, CAMERAS.values(), strict=True)
    seen = [_read(folder, int(name) - 1, modality) for folder, name, modality in cameras]
    whole = SampleTable.joined(seen)
    is_test, is_train = np.isin(whole.pids, tested), np.isin(whole.pids, trained)
    others = whole.paths.take(~(is_test | is_train))
    leave_out(others, "images", f"of people in none of {', '.join(learnt)}, test", expected=True)
    is_infrared = whole.columns[COLUMN] == INFRARED
    return Splits(
        whole.take(is_train), whole.take(is_test & is_infrared), whole.take(is_test & ~is_infrared)
    )


def _read(folder: Path, camid: int, modality: str) -> SampleTable:
    table = table_of(read_below(folder, _PICTURES), camera=camid, columns=("picture",))
    return with_modality(table, modality)


def _read_people(listed: Path) -> Int64Array:
    """Return the numbers of the people of a list."""
    lines = match_lines(read_lines(listed), _PEOPLE, "1,2,4,5", listed)
    numbers = [int(number) for line in lines for number in re.findall(r"\d+", line.string)]
    return np.array(numbers, dtype=np.int64)


def _check_apart(trained: Int64Array, tested: Int64Array) -> None:
    shared = np.intersect1d(trained, tested).tolist()
    if shared:
        raise DataError(
            f"{counted(len(shared), 'person', 'people')} of {CARD.title} in test_id.txt "
            f"{'is' if len(shared) == 1 else 'are'} in a list of training too: {shown(shared)}",
            "The lists are of different versions: get all of exp/ again",
        )
