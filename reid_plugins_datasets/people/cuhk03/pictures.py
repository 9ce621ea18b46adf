"""CUHK03's pictures, written out of the ``.mat`` file once and listed from then on."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from reid_plugins_datasets.reading.matlab import open_mat73
from reidcore.data import leave_out_files, list_files
from reidcore.errors import DataError, UserError
from reidcore.utils import atomic_folder

_log = logging.getLogger(f"reidcore.{__name__}")

_NAME = re.compile(r"(?P<pair>\d)_(?P<person>\d{3})_(?P<view>[12])_\d{2}\.png")
_FIRST_VIEW_COLUMNS = 5
_PICTURE_AXES = 3


class Picture(NamedTuple):
    """One picture: its place, and whom it shows.

    Attributes:
        path: path of the file.
        pair: camera pair, base 1.
        person: person within the pair, base 1.
        camid: view within the pair, base 0.
    """

    path: str
    pair: int
    person: int
    camid: int


def pictures_of(folder: Path, release: Path, kind: str) -> dict[str, Picture]:
    """Return the pictures in a folder by name, sorted; write them there first if it is missing.

    Args:
        folder: ``images_detected`` or ``images_labeled``.
        release: the file ``cuhk-03.mat``, needed only if the folder is missing.
        kind: ``detected`` or ``labeled``.

    Raises:
        DataError: the release cannot be read, or the folder holds no picture.
        UserError: h5py is missing, or the pictures cannot be written.
    """
    if not folder.is_dir():
        _log.info("writing the %s pictures of CUHK03 to %s", kind, folder)
        with atomic_folder(folder) as partial:
            _write_pictures(partial, release, kind)
    files = [(name, str(folder / name)) for name in list_files(folder).files]
    found = {
        name: _picture(match, path) for name, path in files if (match := _NAME.fullmatch(name))
    }
    leave_out_files(
        [path for name, path in files if name not in found],
        "their names are not those of CUHK03's pictures, such as 1_001_1_01.png",
    )
    if not found:
        raise DataError(
            f"{str(folder)!r} holds no picture of CUHK03",
            "Remove the folder: it is then written again.",
        )
    return found


def _picture(match: re.Match[str], path: str) -> Picture:
    return Picture(path, int(match["pair"]), int(match["person"]), int(match["view"]) - 1)


def _write_pictures(folder: Path, release: Path, kind: str) -> None:
    # Each picture is encoded before it is written, so that an error of the disk is told from one
    # of the release.
    with open_mat73(release) as file:
        for name, pixels in _stored(file, kind):
            _save(Image.fromarray(pixels), folder / name)


def _save(image: Image.Image, path: Path) -> None:
    try:
        image.save(path)
    except OSError as error:
        raise UserError(
            f"cannot write {str(path)!r}: {error.strerror or error}",
            "Free some space or choose a folder you may write to.",
        ) from error


def _stored(file: Any, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield file names and (H, W, 3) pixels; HDF5 holds every array with its axes reversed."""
    for pair, pair_cell in enumerate(file[kind][0], start=1):
        persons = file[pair_cell][()].T
        for person, cells in enumerate(persons, start=1):
            for column, cell in enumerate(cells):
                pixels = file[cell][()].T
                if pixels.ndim != _PICTURE_AXES:
                    continue
                view = 1 if column < _FIRST_VIEW_COLUMNS else 2
                yield f"{pair}_{person:03d}_{view}_{column + 1:02d}.png", pixels
