"""MARS (Zheng et al., ECCV 2016): tracklets that lists and MATLAB files describe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reid_plugins_datasets.reading.list_file import read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.matlab import load_integers
from reid_plugins_datasets.reading.names import shown
from reidcore.data import (
    JUNK_PID,
    Archive,
    DatasetCard,
    OfficialCount,
    Sample,
    SampleTable,
    Splits,
    described_by,
    leave_out,
    require,
)
from reidcore.errors import DataError

DISTRACTOR_PID = 0
"""Unknown people and background: searched in, never learnt from."""

CAMERAS = range(1, 7)

_AGAIN = "It is another file, or of another version of the dataset: get it again"

CARD = DatasetCard(
    title="MARS",
    folder="mars",
    layout="""\
mars/
    bbox_train/0001/0001C1T0001F001.jpg    identity 1, camera 1, track 1, frame 1
    bbox_test/0002/, ... 0000/ (distractors), 00-1/ (junk)
    info/
        train_name.txt, test_name.txt
        tracks_train_info.mat, tracks_test_info.mat, query_IDX.mat""",
    paper="Zheng et al. MARS: A Video Benchmark for Large-Scale Person Re-identification. "
    "ECCV 2016",
    source="http://www.liangzheng.com.cn/Project/project_mars.html; the folder info: "
    "https://github.com/liangzheng06/MARS-evaluation",
    licence="research only, as far as known; the source has the terms",
    protocol="The 1,980 query tracks, one for each person and camera, are searched for among all "
    "other test tracks; tracks of the query's person by the query's camera are left out. "
    "Junk tracks (-1) are in no list; distractors (0) are in the gallery. Some queries "
    "have no match and are skipped (test.protocol=video). combineall changes nothing, as in "
    "Torchreid.",
    data_type="video",
    archives=(Archive("bbox_train.zip", "mars"), Archive("bbox_test.zip", "mars")),
    junk_pids=(DISTRACTOR_PID, JUNK_PID),
    combines=False,
    counts=(
        OfficialCount("train", 625, 8_298, 6),
        OfficialCount("query", 626, 1_980, 6),
        OfficialCount("gallery", 621, 9_330, 6),
    ),
    camera_names=tuple("123456"),
)


@described_by(CARD)
def mars(root: str | os.PathLike[str]) -> Splits:
    """Read MARS; identity 0 of the gallery holds the distractors.

    The column ``track`` has the row of each tracklet in the list of tracks, base 0.

    Args:
        root: folder that holds ``mars/``.

    Raises:
        DataError: a folder or list is missing, or lists and tracks do not fit together.
        UserError: scipy is missing.
    """
    directory = Path(root) / CARD.folder
    train, test = (_Half.of(directory, half) for half in ("train", "test"))
    queries = directory / "info" / "query_IDX.mat"
    require(CARD, *train, *test, queries)
    (_, learnt), (tracks, tested) = train.read(), test.read()
    asked = _query_rows(queries, tracks)
    return Splits(
        _table(learnt),
        _table({row: sample for row, sample in tested.items() if row in asked}),
        _table({row: sample for row, sample in tested.items() if row not in asked}),
    )


def _table(samples: Mapping[int, Sample]) -> SampleTable:
    """Return the table of tracks by their row in the list, which becomes the column track."""
    rows = np.array(list(samples), dtype=np.int64)
    return SampleTable.of(list(samples.values()), columns={"track": rows})


class _Half(NamedTuple):
    pictures: Path
    names: Path
    tracks: Path

    @classmethod
    def of(cls, directory: Path, half: str) -> _Half:
        info = directory / "info"
        return cls(
            directory / f"bbox_{half}",
            info / f"{half}_name.txt",
            info / f"tracks_{half}_info.mat",
        )

    def read(self) -> tuple[int, dict[int, Sample]]:
        """Return how many tracks there are, and row -> sample of those that are no junk."""
        names = read_lines(self.names)
        tracks = _track_rows(self.tracks, len(names))
        used = {row: track for row, track in enumerate(tracks) if track[2] != JUNK_PID}
        junk = [names[first - 1] for first, _, pid, _ in tracks if pid == JUNK_PID]
        leave_out(junk, f"tracklets of identity {JUNK_PID}", "junk", expected=True)
        samples, needed = {}, []
        for row, (first, last, pid, camera) in used.items():
            frames = names[first - 1 : last]
            if {name[:6] for name in frames} != {f"{pid:04d}C{camera}"}:
                raise DataError(
                    f"lines {first} to {last} of {str(self.names)!r} are not identity {pid} by "
                    f"camera {camera}, as {self.tracks.name} has it: {shown(frames)}",
                    "List and tracks are of different versions: get both again",
                )
            needed += [f"{name[:4]}/{name}" for name in frames]
            folder = str(self.pictures / frames[0][:4])
            paths = tuple(f"{folder}{os.sep}{name}" for name in frames)
            samples[row] = Sample(paths, pid, camera - 1)
        check_files(self.pictures, needed, self.names)
        return len(tracks), samples


def _track_rows(path: Path, lines: int) -> list[list[int]]:
    """Return (first line, last line, identity, camera) of every track, lines with base 1."""
    variable = path.stem.replace("tracks", "track")
    table = load_integers(path, variable)
    if table.shape[1] != 4 or not len(table):
        raise DataError(f"{variable} in {str(path)!r} is not a table of four columns", _AGAIN)
    rows: list[list[int]] = table.tolist()
    wrong = [
        row
        for row in rows
        if not (1 <= row[0] <= row[1] <= lines and row[2] >= JUNK_PID and row[3] in CAMERAS)
    ]
    if wrong:
        raise DataError(
            f"{len(wrong)} of {len(rows)} tracks in {str(path)!r} are out of range: {shown(wrong)}",
            f"Expected first and last line in 1..{lines}, identity and camera 1..6",
        )
    return rows


def _query_rows(path: Path, tracks: int) -> set[int]:
    """Return the rows of the test tracks that are queries, base 0."""
    rows: list[int] = (load_integers(path, "query_IDX") - 1).flatten().tolist()
    wrong = [row + 1 for row in rows if not 0 <= row < tracks]
    if wrong:
        raise DataError(
            f"{len(wrong)} of {len(rows)} queries in {str(path)!r} are no row of the {tracks} "
            f"test tracks: {shown(wrong)}",
            _AGAIN,
        )
    return set(rows)
