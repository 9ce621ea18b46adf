"""What one camera records: frames, and who is where in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_plugins_synthetic.backdrops import paint_backdrop
from reid_plugins_synthetic.cameras import CAMERAS
from reid_plugins_synthetic.figure import paint_figure
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.render import developed, draw_light, paint_shadow
from reid_plugins_synthetic.scene.routes import Visit
from reid_plugins_synthetic.scene.settings import SceneSettings
from reid_plugins_synthetic.scene.walk import Place, Walk, draw_walk
from reid_plugins_synthetic.view import View

Mask = npt.NDArray[np.bool_]

_FINER = 2
"""Figures are painted this many times larger and averaged down, which smooths their edges."""

_BACKDROP_WIDTHS = 5  # a backdrop is this many times as wide as asked for
_FAINT = 128  # alpha from which a pixel counts as the figure's


class Box(NamedTuple):
    """One person in one frame.

    Attributes:
        frame: number of the frame, base 1.
        person: number of the person, base 0.
        left: column of the box's left edge, in pixels.
        top: row of its upper edge.
        width: in pixels; boxes end at the frame's edge.
        height: likewise.
        visibility: share of the figure that can be seen, 0 to 1.
    """

    frame: int
    person: int
    left: int
    top: int
    width: int
    height: int
    visibility: float


@dataclass(frozen=True)
class _Present:
    """Somebody in a frame: on which walk, where, and how many seconds after its begin."""

    walk: Walk
    person: int
    place: Place
    seconds: float

    @property
    def view(self) -> View:
        """How the person is seen, in pixels of the frame."""
        return self.walk.view(self.place.height, self.place.column, self.place.ground)


class Film:
    """The recording of one camera.

    Args:
        settings: what the scene is made from.
        camera: number of the camera, base 0.
        start: when the first frame is recorded, in seconds.
        frames: number of frames.
        people: everybody.
        visits: of this camera.
    """

    def __init__(
        self,
        settings: SceneSettings,
        camera: int,
        start: float,
        frames: int,
        people: Sequence[Person],
        visits: Sequence[Visit],
    ) -> None:
        self.frames = frames
        self._size = (settings.width, settings.height)
        self._look = CAMERAS[camera]
        self._start, self._fps = start, settings.fps
        self._key = f"{settings.seed}/scene/film/{camera}"
        self._walks = [(visit, self._walk(visit, people[visit.person])) for visit in visits]
        wide = -(-settings.width * _FINER // _BACKDROP_WIDTHS)
        backdrop = paint_backdrop(
            self._look.scene, (wide, settings.height * _FINER), Random(f"{self._key}/backdrop")
        )
        self._backdrop = backdrop.resize(self._size, reducing_gap=2.0)
        self._light = draw_light(self._look, Random(f"{self._key}/light"))

    def shoot(self) -> Iterator[tuple[Image.Image, list[Box]]]:
        """Yield each frame, with the boxes of those who can be seen in it."""
        for number in range(1, self.frames + 1):
            picture, boxes = self._backdrop.copy(), []
            covered = np.zeros(self._size[::-1], dtype=np.bool_)
            painted = [(each, *self._figure(each)) for each in self._present(number)]
            painted.sort(key=lambda layer: layer[0].place.ground)
            for each, figure, corner in painted:
                paint_shadow(picture, each.view)
                picture.paste(figure, corner, figure)
            for each, figure, corner in reversed(painted):  # the nearest hides those behind
                mask, whole = _mask(figure, corner, self._size)
                if box := _box(mask, covered, whole, number, each.person):
                    boxes.append(box)
                covered |= mask
            boxes.sort(key=lambda box: box.person)
            yield developed(picture, self._look, self._light, self._noise(number)), boxes

    def _walk(self, visit: Visit, person: Person) -> Walk:
        key = f"{self._key}/walk/{visit.person}/{visit.start:.3f}"
        return draw_walk(self._look, person, Random(key))

    def _noise(self, number: int) -> Random:
        return Random(f"{self._key}/noise/{number}")

    def _present(self, number: int) -> Iterator[_Present]:
        time = self._start + (number - 1) / self._fps
        for visit, walk in self._walks:
            if visit.start <= time <= visit.end:
                seconds = time - visit.start
                share = seconds / (visit.end - visit.start)
                yield _Present(walk, visit.person, walk.place(share, self._size), seconds)

    def _figure(self, each: _Present) -> tuple[Image.Image, tuple[int, int]]:
        """Return the figure (RGBA) with the column and row of its upper left corner."""
        place = each.place
        side = round(1.5 * place.height)  # of a square with room for arms and bags
        left, top = round(place.column - 0.5 * side), round(place.ground - 0.88 * side)
        view = each.walk.view(
            place.height * _FINER, (place.column - left) * _FINER, (place.ground - top) * _FINER
        )
        pose = each.walk.pose_at(each.seconds)
        size = (side * _FINER, side * _FINER)
        figure = paint_figure(each.walk.person, pose, view, size, self._look.lit_from)
        return figure.reduce(_FINER), (left, top)


def _mask(figure: Image.Image, corner: tuple[int, int], size: tuple[int, int]) -> tuple[Mask, int]:
    """Return which pixels of a frame a figure covers, (H, W), and how many pixels it has."""
    alpha = np.asarray(figure.getchannel("A")) >= _FAINT
    layer = Image.new("L", size)
    layer.paste(Image.fromarray(alpha.view(np.uint8)), corner)
    return np.asarray(layer).astype(np.bool_), int(alpha.sum())


def _box(mask: Mask, covered: Mask, whole: int, frame: int, person: int) -> Box | None:
    """Return the box around a figure in a frame; None where nothing of it can be seen."""
    seen = int((mask & ~covered).sum())
    if not seen:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
    return Box(frame, person, left, top, width, height, round(seen / whole, 3))
