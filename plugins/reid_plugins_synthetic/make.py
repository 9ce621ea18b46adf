"""Writing a synthetic data set to disk: whole or not at all, and found again by its marker."""

from __future__ import annotations

import io
import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from reid_plugins_synthetic.album import GALLERY, QUERY, TRAIN, Settings, Shot, shots
from reid_plugins_synthetic.marker import is_made
from reid_plugins_synthetic.render import Renderer
from reidcore.errors import DataError, UserError
from reidcore.utils import atomic_folder, read_json, write_json

_log = logging.getLogger(f"reidcore.{__name__}")

MARKER = "synthetic.json"
"""The file that tells a synthetic data set from any other folder, and what it was made from."""

RELEASE = 1
"""Raised whenever the same settings begin to give other pictures."""

_QUALITY = 92


@dataclass(frozen=True)
class Summary:
    """What was written, or found already there.

    Args:
        directory: folder of the data set.
        train: number of training pictures.
        query: number of queries.
        gallery: number of gallery pictures, with distractors (0000) and junk (-1).
        settings: what it was made from.
        created: False if it was there already.
    """

    directory: Path
    train: int
    query: int
    gallery: int
    settings: Settings
    created: bool


def make_synthetic(
    directory: str | os.PathLike[str],
    *,
    train_ids: int = Settings.train_ids,
    test_ids: int = Settings.test_ids,
    cameras: int = Settings.cameras,
    images_per_camera: int = Settings.images_per_camera,
    height: int = Settings.height,
    width: int = Settings.width,
    seed: int = Settings.seed,
) -> Summary:
    """Write pictures of procedural people in the layout and naming of Market1501.

    The folder is written whole or not at all. If it holds the data set of the same settings
    already, nothing is done.

    Args:
        directory: folder to write; new, empty, or written by this function before.
        train_ids: number of people to learn from.
        test_ids: number of other people, for query and gallery.
        cameras: number of cameras, 2 to 6.
        images_per_camera: pictures of each person by each camera (a query comes on top).
        height: height of a picture in pixels.
        width: width of a picture in pixels.
        seed: seed of everything drawn; the same settings give the same bytes.

    Returns:
        How many pictures there are, and whether they are new.

    Raises:
        DataError: a setting is out of range, or the folder holds something else.
        UserError: the folder cannot be written.
    """
    settings = Settings(train_ids, test_ids, cameras, images_per_camera, height, width, seed)
    target = Path(directory)
    if _holds(target, settings):
        return _summary(target, settings, created=False)
    _log.info("drawing the synthetic dataset into %s", target)
    try:
        with atomic_folder(target) as partial:
            _write_pictures(partial, settings)
            write_json(_record(settings), partial / MARKER)
    except UserError:
        if not _holds(target, settings):  # as it does where another process was faster
            raise
    return _summary(target, settings, created=True)


def settings_of(directory: Path) -> dict[str, int]:
    """Return what the data set in a folder says it was made from.

    Raises:
        UserError: the folder's marker cannot be read.
    """
    try:
        return {
            str(name): int(value)
            for name, value in read_json(directory / MARKER)["settings"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{str(directory / MARKER)!r} is not the marker of a synthetic dataset",
            "Remove the folder and let it be drawn again.",
        ) from error


def _holds(target: Path, settings: Settings) -> bool:
    return is_made(target, MARKER, _record(settings), "synthetic dataset")


def _record(settings: Settings) -> dict[str, Any]:
    return {"release": RELEASE, "settings": settings.as_dict()}


def _write_pictures(directory: Path, settings: Settings) -> None:
    for folder in (TRAIN, QUERY, GALLERY):
        (directory / folder).mkdir()
    renderer = Renderer((settings.width, settings.height), settings.seed)
    for shot in shots(settings):
        picture = _taken(renderer, shot)
        encoded = io.BytesIO()
        picture.save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
        (directory / shot.folder / shot.name).write_bytes(encoded.getvalue())


def _taken(renderer: Renderer, shot: Shot) -> Image.Image:
    if shot.kind == "nobody":
        return renderer.nobody(shot.camera, shot.name)
    if shot.kind == "clipped":
        return renderer.clipped(shot.person, shot.camera, shot.name)
    return renderer.person(shot.person, shot.camera, shot.name)


def _summary(target: Path, settings: Settings, created: bool) -> Summary:
    counts = Counter(shot.folder for shot in shots(settings))
    return Summary(target, counts[TRAIN], counts[QUERY], counts[GALLERY], settings, created)
