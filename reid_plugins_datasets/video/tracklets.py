"""Tracklets that lie in folders of frames, and the two-camera protocol that such datasets share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import Picture, read_pictures
from reidcore.data import Sample, SampleTable, Splits
from reidcore.errors import DataError


def read_frames(folder: str | Path, extension: str, form: NameForm) -> list[Picture]:
    """Return a folder's frames in order of time.

    Args:
        folder: one person before one camera.
        extension: ending of a frame's name, with its dot.
        form: the names of the frames; its group ``frame`` is the number to sort by.

    Raises:
        DataError: the folder is missing or has no frame, or a frame has another name.
    """
    frames = read_pictures(folder, form, (extension,))
    if not frames:
        raise DataError(
            f"the tracklet {str(folder)!r} has no {extension} frame", "Unpack the dataset again"
        )
    return sorted(frames, key=lambda frame: int(frame.match["frame"]))


def two_camera_splits(
    train: Sequence[str],
    test: Sequence[str],
    cameras: tuple[Path, Path],
    extension: str,
    form: NameForm,
) -> Splits:
    """Search for what the first camera saw among what the second one saw.

    Identities are places in the lists of people, apart in training and test. The column ``frame``
    has the number of each tracklet's first frame.

    Args:
        train: folder names of the people to learn from, who are seen by both cameras.
        test: folder names of the people to test with.
        cameras: for each camera the folder that holds a folder a person.
        extension: ending of a frame's name, with its dot.
        form: the names of the frames, see `read_frames`.

    Raises:
        DataError: somebody's folder is missing or is not as expected.
    """

    def seen(people: Sequence[str], by: Sequence[int]) -> SampleTable:
        samples, first = [], []
        for pid, name in enumerate(people):
            for camid in by:
                frames = read_frames(cameras[camid] / name, extension, form)
                samples.append(Sample(tuple(frame.path for frame in frames), pid, camid))
                first.append(int(frames[0].match["frame"]))
        return SampleTable.of(samples, columns={"frame": np.array(first, dtype=np.int64)})

    return Splits(seen(train, (0, 1)), seen(test, (0,)), seen(test, (1,)))
