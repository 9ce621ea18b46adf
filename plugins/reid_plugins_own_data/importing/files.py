"""The image files of a dataset: crops that were cut, and files taken as they are."""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from reid_plugins_own_data.importing.labels import Labelled, Names
from reidcore.data import Pixels

IMAGES = "images"
"""The folder of images, below that of the dataset."""

_QUALITY = 95
_LONGEST = 60  # characters of a name, of up to four bytes; file systems take 255


@dataclass
class ImageFiles:
    """Writes images below a folder, in one folder for each identity.

    Attributes:
        folder: the dataset's folder.
        ending: ``.jpg`` (quality 95, colours at full size) or ``.png``, for crops that are cut.
        links: whether files that are taken as they are become hard links, where there are such.
    """

    folder: Path
    ending: str = ".jpg"
    links: bool = False
    _people: Names[str] = field(init=False, default_factory=lambda: Names(str.casefold))
    _files: dict[str, Names[int]] = field(
        init=False, default_factory=lambda: defaultdict(lambda: Names(str.casefold))
    )
    _count: int = field(init=False, default=0)

    def save(self, pixels: Pixels, row: Labelled) -> str:
        """Write a crop (h, w, 3); return its path below the dataset's folder."""
        crop = row.crop
        place = crop.picture.stem if isinstance(crop.picture, Path) else ""
        parts = [
            crop.sequence,
            row.camid if row.camid != crop.sequence else "",
            crop.track if crop.pid else "",
            place if crop.frame is None else f"{crop.frame:06d}",
        ]
        path = self._place(row, parts, self.ending)
        image = Image.fromarray(pixels)
        if self.ending == ".png":
            image.save(self.folder / path)
        else:
            image.save(self.folder / path, quality=_QUALITY, subsampling=0)
        return path

    def take(self, file: Path, row: Labelled) -> str:
        """Link or copy a file as it is; return its path below the dataset's folder.

        Raises:
            OSError: it cannot be read.
        """
        path = self._place(row, [row.camid, file.stem], file.suffix.lower())
        target = self.folder / path
        if self.links:
            try:
                target.hardlink_to(file.resolve())
            except OSError:  # another file system, or one without hard links
                shutil.copyfile(file, target)
        else:
            shutil.copyfile(file, target)
        return path

    def _place(self, row: Labelled, parts: Iterable[str], ending: str) -> str:
        """Return a path that no other image has, on file systems that know no capitals either."""
        stem = "_".join(_plain(part) for part in parts if part)[-_LONGEST:]
        self._count += 1
        person = self._people.of(row.pid, _plain(row.pid))
        name = self._files[person].of(self._count, stem or "image")
        (self.folder / IMAGES / person).mkdir(parents=True, exist_ok=True)
        return f"{IMAGES}/{person}/{name}{ending}"


def _plain(text: str) -> str:
    """Return a text as part of a file's name, on any system."""
    plain = re.sub(r"[^\w-]+", "-", os.fsencode(text).decode("utf-8", "replace")).strip("-")
    return plain[:_LONGEST] or "none"
