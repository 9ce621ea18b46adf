"""Files and names of the pictures that are drawn of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from reidcore.errors import DataError, UserError, printable
from reidcore.utils import atomic_write, read_json, write_json


def shown_path(path: Any) -> str:
    """Return the path of an image, or of a tracklet's middle frame.

    Raises:
        DataError: if a tracklet has no frames.
    """
    if isinstance(path, str | Path):
        return str(path)
    if not path:
        raise DataError("a tracklet has no frames")
    return str(path[len(path) // 2])


class FileNames:
    """Names for pictures: the image's own, numbered where two are alike.

    Args:
        taken: names that are not free.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._seen = Counter(taken)

    def of(self, path: Any, number: int = 0, digits: int = 0) -> str:
        """Return the name of the picture of an image or a tracklet.

        Args:
            path: of the image, or of the tracklet's frames.
            number: put before the name, where ``digits`` are wanted.
            digits: how many; 0 for none.
        """
        stem = printable(
            Path(shown_path(path)).stem, one_line=True
        )  # no name that steers a terminal
        stem = f"{number:0{digits}}_{stem}" if digits else stem
        self._seen[stem] += 1
        return f"{stem}.jpg" if self._seen[stem] == 1 else f"{stem}_{self._seen[stem]}.jpg"


_DRAWN = ".drawn"
"""The file in a folder of pictures that lists those that were drawn; all others are the user's."""


def replace_drawn(folder: Path, names: Sequence[str]) -> None:
    """Remove what an earlier drawing listed and this one does not draw; list what it draws.

    Args:
        folder: of the pictures.
        names: of the files that are to be drawn.
    """
    for name in _drawn_in(folder) - set(names):
        (folder / name).unlink(missing_ok=True)
    write_json(list(names), folder / _DRAWN)


def holds_drawn_alone(folder: Path) -> bool:
    """Return whether a folder has pictures that were drawn, and nothing else."""
    drawn = set() if folder.is_symlink() else _drawn_in(folder)
    return bool(drawn) and {path.name for path in folder.iterdir()} <= {*drawn, _DRAWN}


def _drawn_in(folder: Path) -> set[str]:
    try:
        listed = read_json(folder / _DRAWN)
    except UserError:  # nothing was drawn there
        return set()
    # A list that was tampered with names nothing outside the folder.
    listed = listed if isinstance(listed, list) else []
    names = {name for name in listed if isinstance(name, str) and name.endswith(".jpg")}
    return {name for name in names if Path(name).name == name}


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a JPEG in full colour resolution: frames are thin and saturated."""
    with atomic_write(path) as file:
        picture.save(file, format="JPEG", quality=88, subsampling=0)
