"""Folders with what one camera saw, one picture a person."""

from __future__ import annotations

from pathlib import Path

from reid_plugins_datasets.reading.names import NameForm, shown
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import Sample
from reidcore.errors import DataError


def read_camera(folder: Path, form: NameForm, extension: str, camid: int) -> dict[int, Sample]:
    """Return each person's picture, by the person's number in ascending order.

    Args:
        folder: where the pictures lie.
        form: how they are named, with the group ``pid``.
        extension: ending of their names, with its dot.
        camid: number of the camera, base 0.

    Raises:
        DataError: the folder cannot be read, a picture has another name, or there are two of
            somebody.
    """
    pictures = [
        (int(match["pid"]), path) for match, path in read_pictures(folder, form, (extension,))
    ]
    seen = {pid: Sample(path, pid, camid) for pid, path in pictures}
    if len(seen) < len(pictures):
        extra = [Path(path).name for pid, path in pictures if seen[pid].path != path]
        raise DataError(
            f"{len(extra)} people have more than one picture in {str(folder)!r}: {shown(extra)}",
            "Move other files away",
        )
    return dict(sorted(seen.items()))
