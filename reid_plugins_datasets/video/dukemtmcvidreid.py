"""DukeMTMC-VideoReID (Wu et al., CVPR 2018): a folder a tracklet, two generations of names."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.listing import list_folders
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.video.tracklets import read_frames
from reidcore.data import (
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

CARD = DatasetCard(
    title="DukeMTMC-VideoReID",
    folder="dukemtmc-vidreid",
    layout="""\
dukemtmc-vidreid/DukeMTMC-VideoReID/
    train/0001/0052/0001_C6_F0099_X30823.jpg    person 1, tracklet 52, camera 6, frame 99
    query/
    gallery/                                     (0001C6F0099X30823.jpg in older copies)""",
    paper="Wu et al. Exploit the Unknown Gradually: One-Shot Video-Based Person Re-Identification "
    "by Stepwise Learning. CVPR 2018; Ristani et al. Performance Measures and a Data Set for "
    "Multi-Target, Multi-Camera Tracking. ECCVW 2016",
    source="https://github.com/Yu-Wu/DukeMTMC-VideoReID",
    licence="CC BY-NC-SA 4.0 (LICENSE_DukeMTMC.txt)",
    protocol="One tracklet of each of 702 people is searched for among their others and those of "
    "408 distractors; tracklets of the query's person by the query's camera are left out.",
    data_type="video",
    withdrawn="its authors withdrew it in 2019: people were filmed without their consent",
    archives=(Archive("DukeMTMC-VideoReID.zip", "dukemtmc-vidreid"),),
    counts=(
        OfficialCount("train", 702, 2_196, 8, when={"min_seq_len": 0}),
        OfficialCount("query", 702, 702, when={"min_seq_len": 0}),
        OfficialCount("gallery", 1_110, 1_934, when={"min_seq_len": 0}),
    ),
    camera_names=tuple("12345678"),
)

_FRAMES = NameForm(
    re.compile(
        r"(?P<pid>\d{4})(?P<gap>_?)C(?P<camera>\d)(?P=gap)F(?P<frame>\d+)(?P=gap)X(?P<source>\d+)\.jpg"
    ),
    "0001_C6_F0099_X30823.jpg or 0001C6F0099X30823.jpg: person 1, camera 6, frame 99",
    {"camera": range(1, 9)},
)


@described_by(CARD)
def dukemtmcvidreid(root: str | os.PathLike[str], *, min_seq_len: int = 0) -> Splits:
    """Read DukeMTMC-VideoReID: every frame of every tracklet, whatever number it begins with.

    The column ``frame`` has the number of each tracklet's first frame in its camera's video.

    Args:
        root: folder that holds ``dukemtmc-vidreid/``.
        min_seq_len: tracklets of fewer frames are left out.

    Raises:
        DataError: a folder is missing, or a frame has a name of another form or in another's place.
    """
    directory = Path(root) / CARD.folder / "DukeMTMC-VideoReID"
    folders = [directory / name for name in ("train", "query", "gallery")]
    require(CARD, *folders)
    return Splits(*(_read_split(folder, min_seq_len) for folder in folders))


def _read_split(split: Path, min_seq_len: int) -> SampleTable:
    found = [
        _read_track(Path(track.path))
        for person in list_folders(split)
        for track in list_folders(person.path)
    ]
    short = [sample.path for sample, _ in found if len(sample.path) < min_seq_len]
    why = f"in {split.name}, fewer than min_seq_len={min_seq_len} frames"
    leave_out(short, "tracklets", why, total=len(found), expected=True)
    kept = [(sample, frame) for sample, frame in found if len(sample.path) >= min_seq_len]
    frames = np.array([frame for _, frame in kept], dtype=np.int64)
    return SampleTable.of([sample for sample, _ in kept], columns={"frame": frames})


def _read_track(folder: Path) -> tuple[Sample, int]:
    """Return a tracklet, and the place of its first frame in the video."""
    frames = read_frames(folder, ".jpg", _FRAMES)
    seen = {(int(frame.match["pid"]), int(frame.match["camera"])) for frame in frames}
    pid, camera = next(iter(seen))
    if len(seen) > 1 or f"{pid:04d}" != folder.parent.name:
        raise DataError(
            f"the frames in {str(folder)!r} are not of one camera and of person "
            f"{folder.parent.name}: {', '.join(Path(frame.path).name for frame in frames[:3])}",
            "Unpack the dataset again",
        )
    sample = Sample(tuple(frame.path for frame in frames), pid, camera - 1)
    return sample, int(frames[0].match["source"])
