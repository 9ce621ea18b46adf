"""Writing a scene to disk, in MOTChallenge's layout: whole or not at all."""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import yaml

from reid_plugins_synthetic.marker import is_made
from reid_plugins_synthetic.people import Person, draw_people
from reid_plugins_synthetic.scene.filming import Box, Film
from reid_plugins_synthetic.scene.routes import Network, Visit, draw_network, draw_routes
from reid_plugins_synthetic.scene.settings import SceneSettings
from reid_plugins_synthetic.scene.tracker import Tracked, Tracker
from reidcore.errors import UserError
from reidcore.utils import atomic_folder, read_json, write_json

_log = logging.getLogger(f"reidcore.{__name__}")

MARKER = "scene.json"
"""The file that tells a scene from any other folder: what it was made from, and what is in it."""

NETWORK = "scene.yaml"
"""The file with the cameras' clocks and the ways between them."""

RELEASE = 1
"""Raised whenever the same settings begin to give other frames."""

_QUALITY = 92
_TITLE = "synthetic scene"


@dataclass(frozen=True)
class SceneSummary:
    """What was written, or found already there.

    Attributes:
        directory: folder of the scene.
        frames: number of frames of all cameras.
        boxes: number of true boxes.
        tracks: number of single-camera tracks.
        created: False if it was there already.
    """

    directory: Path
    frames: int
    boxes: int
    tracks: int
    created: bool


def make_scene(directory: str | os.PathLike[str], settings: SceneSettings) -> SceneSummary:
    """Film people who walk from camera to camera, with the truth and with single-camera tracks.

    Each camera has a folder in MOTChallenge's layout: ``seqinfo.ini``, ``img1/000001.jpg``,
    ``gt/gt.txt`` (whose identities are the same in all cameras) and ``tracks.txt`` (whose numbers
    are that camera's own). ``scene.yaml`` has the cameras' clocks and the ways between them.

    Args:
        directory: folder to write; new, empty, or written by this function before.
        settings: what the scene is made from.

    Raises:
        DataError: the folder holds something else.
        UserError: the folder cannot be written.
    """
    target = Path(directory)
    made_from = {"release": RELEASE, "settings": settings.as_dict()}
    if _is_made(target, made_from):
        return _summary(target, created=False)
    _log.info("filming the synthetic scene into %s", target)
    try:
        with atomic_folder(target) as partial:
            write_json(made_from | {"contents": _write(partial, settings)}, partial / MARKER)
    except UserError:
        if not _is_made(target, made_from):  # as it is where another process was faster
            raise
    return _summary(target, created=True)


def _is_made(target: Path, made_from: dict[str, Any]) -> bool:
    marker = target / MARKER
    contents = read_json(marker).get("contents") if marker.is_file() else None
    return is_made(target, MARKER, made_from | {"contents": contents}, _TITLE)


def _summary(target: Path, created: bool) -> SceneSummary:
    contents = read_json(target / MARKER)["contents"]
    return SceneSummary(target, contents["frames"], contents["boxes"], contents["tracks"], created)


def _write(directory: Path, settings: SceneSettings) -> dict[str, int]:
    """Write all cameras; return how many frames, boxes and tracks they have."""
    network = draw_network(settings)
    visits = draw_routes(settings, network)
    people = draw_people(settings.people, Random(f"{settings.seed}/scene/people"))
    _write_network(directory / NETWORK, settings, network)
    counts = {"frames": 0, "boxes": 0, "tracks": 0}
    for camera, name in enumerate(settings.camera_names):
        film = _film(settings, camera, network, people, visits)
        truth, tracked = _write_film(directory / name, settings, film, camera)
        _write_info(directory / name, name, settings, film.frames)
        counts["frames"] += film.frames
        counts["boxes"] += len(truth)
        counts["tracks"] += len({row.track for row in tracked})
    return counts


def _film(
    settings: SceneSettings,
    camera: int,
    network: Network,
    people: Sequence[Person],
    visits: Sequence[Visit],
) -> Film:
    start, end = network.starts[camera], max(visit.end for visit in visits) + 0.5
    frames = math.ceil((end - start) * settings.fps)
    mine = [visit for visit in visits if visit.camera == camera]
    return Film(settings, camera, start, frames, people, mine)


def _write_film(
    folder: Path, settings: SceneSettings, film: Film, camera: int
) -> tuple[list[Box], list[Tracked]]:
    """Write the frames, the truth and the tracks of one camera."""
    images, truth_file = folder / "img1", folder / "gt" / "gt.txt"
    images.mkdir(parents=True)
    truth_file.parent.mkdir()
    random = Random(f"{settings.seed}/scene/tracker/{camera}")
    tracker = Tracker(settings.fps, settings.fragments, random)
    truth: list[Box] = []
    tracked: list[Tracked] = []
    for number, (picture, boxes) in enumerate(film.shoot(), 1):
        encoded = io.BytesIO()
        picture.save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
        (images / f"{number:06d}.jpg").write_bytes(encoded.getvalue())
        truth += boxes
        tracked += tracker.follow(boxes)
    truth_file.write_text("".join(map(_truth_line, truth)), encoding="utf-8")
    (folder / "tracks.txt").write_text("".join(map(_track_line, tracked)), encoding="utf-8")
    return truth, tracked


def _truth_line(box: Box) -> str:
    """Write MOTChallenge's frame, id, left, top, width, height, considered, class, visibility."""
    place = f"{box.left},{box.top},{box.width},{box.height}"
    return f"{box.frame},{box.person + 1},{place},1,1,{box.visibility}\n"


def _track_line(box: Tracked) -> str:
    place = f"{box.left:.2f},{box.top:.2f},{box.width:.2f},{box.height:.2f}"
    return f"{box.frame},{box.track},{place},{box.confidence:.3f},-1,-1,-1\n"


def _write_info(folder: Path, name: str, settings: SceneSettings, frames: int) -> None:
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nimDir=img1\nframeRate={settings.fps}\nseqLength={frames}\n"
        f"imWidth={settings.width}\nimHeight={settings.height}\nimExt=.jpg\n",
        encoding="utf-8",
    )


def _write_network(path: Path, settings: SceneSettings, network: Network) -> None:
    names = settings.camera_names
    twins = {network.twins, network.twins and network.twins[::-1]}
    apart = [pair for pair in permutations(range(len(names)), 2) if pair not in network.seconds]
    record = {
        "cameras": {
            name: {"fps": settings.fps, "start": start}
            for name, start in zip(names, network.starts, strict=True)
        },
        "transitions": [
            {"from": names[a], "to": names[b], "seconds": list(seconds)}
            for (a, b), seconds in network.seconds.items()
        ],
        "unreachable": [[names[a], names[b]] for a, b in apart if (a, b) not in twins],
        "overlaps": [[names[k] for k in network.twins]] if network.twins else [],
    }
    path.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
