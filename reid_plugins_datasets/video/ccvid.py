"""CCVID (Gu et al., CVPR 2022): tracklets of people who change their clothes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.clothing.clothes import COLUMN, splits_with_clothes
from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.names import check_range, shown
from reid_plugins_datasets.reading.tables import texts
from reidcore.data import (
    DatasetCard,
    Sample,
    SampleTable,
    Splits,
    described_by,
    find_image_files,
    require,
)
from reidcore.errors import DataError

CAMERAS = 12
"""Cameras of the first two sessions; those of the third are others."""

CARD = DatasetCard(
    title="CCVID",
    folder="CCVID",
    layout="""\
CCVID/
    session1/001_01/          the frames of a tracklet of person 1 before camera 1
    session2/, session3/
    train.txt                 lines such as session1/001_01 001 u0_l0_s0_c0_a0: tracklet, person,
                              outfit
    query.txt, gallery.txt""",
    paper="Gu et al. Clothes-Changing Person Re-identification with RGB Modality Only. CVPR 2022",
    source="https://github.com/guxinqian/Simple-CCReID",
    licence="research only, as far as known; the source has the terms",
    protocol="Tracklets of query.txt are searched for among those of gallery.txt; those of the "
    "query's person by the query's camera are left out and, in the clothes-changing setting, "
    "those in the query's clothes as well (test.protocol=clothes; the column clothes has the "
    "outfits). The cameras of the third session are 13 to 24.",
    data_type="video",
    camera_names=tuple(map(str, range(1, 2 * CAMERAS + 1))),
)

_LINE = re.compile(
    r"(?P<folder>session(?P<session>\d+)/[^/_\s]+_(?P<camera>\d+)(_[^/\s]*)?)/?"
    r"\s+(?P<pid>\d+)\s+(?P<outfit>\S+)"
)
_EXAMPLE = "session1/001_01 001 u0_l0_s0_c0_a0"
_OTHER_CAMERAS = 3  # the session


@described_by(CARD)
def ccvid(root: str | os.PathLike[str]) -> Splits:
    """Read CCVID; the column ``clothes`` tells outfits apart.

    Args:
        root: folder that holds ``CCVID/``.

    Raises:
        DataError: a list is missing or not as expected, or names tracklets without frames.
    """
    directory = Path(root) / CARD.folder
    lists = [directory / f"{name}.txt" for name in ("train", "query", "gallery")]
    require(CARD, *lists)
    return splits_with_clothes(*(_read(directory, listed) for listed in lists))


def _read(directory: Path, listed: Path) -> SampleTable:
    lines = match_lines(read_lines(listed), _LINE, _EXAMPLE, listed)
    check_range(lines, "camera", range(1, CAMERAS + 1), listed)
    tracklets = [_frames(directory / line["folder"]) for line in lines]
    empty = [line["folder"] for line, frames in zip(lines, tracklets, strict=True) if not frames]
    if empty:
        raise DataError(
            f"{len(empty)} of {len(lines)} tracklets that {str(listed)!r} lists have no frame: "
            f"{shown(empty)}",
            "List and tracklets are of different versions, or were not unpacked completely",
        )
    pairs = zip(lines, tracklets, strict=True)
    samples = [Sample(frames, int(line["pid"]), _camid(line)) for line, frames in pairs]
    return SampleTable.of(samples, columns={COLUMN: texts(lines, "outfit")})


def _frames(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    return tuple(f"{folder}{os.sep}{name}" for name in find_image_files(folder).files)


def _camid(line: re.Match[str]) -> int:
    moved = CAMERAS if int(line["session"]) == _OTHER_CAMERAS else 0
    return int(line["camera"]) - 1 + moved
