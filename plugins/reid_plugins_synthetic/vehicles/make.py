"""Writing vehicles to disk: a folder for each, whole or not at all."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from reid_plugins_synthetic.marker import is_made
from reid_plugins_synthetic.vehicles.filming import Filming
from reid_plugins_synthetic.vehicles.fleet import Vehicle, draw_fleet
from reid_plugins_synthetic.vehicles.settings import VehicleSettings
from reidcore.errors import UserError
from reidcore.utils import atomic_folder, write_json

_log = logging.getLogger(f"reidcore.{__name__}")

MARKER = "vehicles.json"
RELEASE = 1

_QUALITY = 92


@dataclass(frozen=True)
class FleetSummary:
    """What was written, or found already there.

    Attributes:
        directory: the folder.
        pictures: number of pictures.
        bodies: body -> number of vehicles.
        created: whether it was not there before.
    """

    directory: Path
    pictures: int
    bodies: Mapping[str, int]
    created: bool


def make_vehicles(directory: Path, settings: VehicleSettings) -> FleetSummary:
    """Write pictures of procedural vehicles, as ``van-007/cam2_0003.jpg``.

    The folder is written whole or not at all. If it holds the vehicles of the same settings
    already, nothing is done.

    Args:
        directory: folder to write; new, empty, or written by this function before.
        settings: what is drawn.

    Raises:
        DataError: the folder holds something else.
        UserError: the folder cannot be written.
    """
    fleet = draw_fleet(settings.ids, Random(f"{settings.seed}/fleet"))
    pictures = settings.ids * settings.cameras * settings.images_per_camera
    bodies = Counter(vehicle.body for vehicle in fleet)
    if _holds(directory, settings):
        return FleetSummary(directory, pictures, bodies, created=False)
    _log.info("drawing vehicles into %s", directory)
    try:
        with atomic_folder(directory) as partial:
            _write_pictures(partial, settings, fleet)
            write_json(_record(settings), partial / MARKER)
    except UserError:
        if not _holds(directory, settings):  # as it does where another process was faster
            raise
    return FleetSummary(directory, pictures, bodies, created=True)


def _holds(directory: Path, settings: VehicleSettings) -> bool:
    return is_made(directory, MARKER, _record(settings), "folder of drawn vehicles")


def _record(settings: VehicleSettings) -> dict[str, Any]:
    return {"release": RELEASE, "settings": settings.as_dict()}


def _write_pictures(directory: Path, settings: VehicleSettings, fleet: list[Vehicle]) -> None:
    filming = Filming((settings.width, settings.height), settings.seed)
    for number, vehicle in enumerate(fleet, start=1):
        folder = directory / f"{vehicle.body}-{number:03d}"
        folder.mkdir()
        frames = Random(f"{settings.seed}/frames/{number}")
        for camera in range(settings.cameras):
            for frame in sorted(frames.sample(range(10_000), settings.images_per_camera)):
                picture = filming.picture(vehicle, camera, f"{number}/{frame}")
                encoded = io.BytesIO()
                picture.save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
                name = f"cam{camera + 1}_{frame:04d}.jpg"
                (folder / name).write_bytes(encoded.getvalue())
