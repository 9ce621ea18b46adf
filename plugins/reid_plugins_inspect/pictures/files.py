"""Files and names of the pictures that are drawn of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from reidcore.errors import DataError
from reidcore.utils import atomic_write


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
        stem = Path(shown_path(path)).stem
        stem = f"{number:0{digits}}_{stem}" if digits else stem
        self._seen[stem] += 1
        return f"{stem}.jpg" if self._seen[stem] == 1 else f"{stem}_{self._seen[stem]}.jpg"


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a JPEG in full colour resolution: frames are thin and saturated."""
    with atomic_write(path) as file:
        picture.save(file, format="JPEG", quality=88, subsampling=0)
