"""What a camera makes of a vehicle: from where it sees it, in which light, before which scene."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from PIL import Image, ImageDraw

from reid_plugins_synthetic.backdrops import cut, paint_backdrop
from reid_plugins_synthetic.cameras import BACK, CAMERAS, FRONT, LEFT, RIGHT, Camera
from reid_plugins_synthetic.render import developed, draw_light
from reid_plugins_synthetic.vehicles.fleet import Vehicle
from reid_plugins_synthetic.vehicles.painting import paint_vehicle
from reid_plugins_synthetic.vehicles.shapes import SHAPES
from reid_plugins_synthetic.vehicles.solid import Panels
from reid_plugins_synthetic.view import View

ROADSIDE: tuple[Camera, ...] = (
    replace(CAMERAS[1], tilt=0.2, facings=(RIGHT, RIGHT + 0.5, RIGHT - 0.5)),
    replace(CAMERAS[2], tilt=0.3, facings=(FRONT + 0.6, FRONT + 0.9, FRONT + 0.3)),
    replace(CAMERAS[5], tilt=0.36, facings=(BACK - 0.7, BACK - 0.4, BACK - 1.0)),
    replace(CAMERAS[4], tilt=0.26, facings=(LEFT + 0.3, LEFT - 0.3, FRONT - 0.7)),
    replace(CAMERAS[3], scene="street", tilt=0.42, facings=(BACK + 0.5, LEFT, FRONT - 0.5)),
    replace(CAMERAS[0], scene="plaza", tilt=0.3, facings=(FRONT, RIGHT - 0.4, LEFT + 0.4)),
)
"""Cameras beside and over roads: each mostly sees vehicles from one side."""

_FINER = 2
_POLE_SHARE = 0.12


class Filming:
    """Photographs vehicles; each picture depends on its own key alone, not on the order.

    Args:
        size: width and height of a picture in pixels.
        seed: seed of the data set.
    """

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._large = (size[0] * _FINER, size[1] * _FINER)
        self._seed = seed
        self._scenes = [
            paint_backdrop(camera.scene, self._large, Random(f"{seed}/road/{place}"))
            for place, camera in enumerate(ROADSIDE)
        ]

    def picture(self, vehicle: Vehicle, camera: int, key: str) -> Image.Image:
        """Photograph a vehicle; `key` picks how it stands and the light.

        Args:
            vehicle: the vehicle.
            camera: the camera, base 0.
            key: another text gives another picture.
        """
        random, look = Random(f"{self._seed}/vehicle/{camera}/{key}"), ROADSIDE[camera]
        view = _draw_view(vehicle, look, self._large, random)
        picture = cut(self._scenes[camera], self._large, random)
        _pave(picture, view, random)
        _shade_ground(picture, vehicle, view)
        layer = paint_vehicle(vehicle, view, self._large, look.lit_from)
        picture.paste(layer, (0, 0), layer)
        if random.random() < _POLE_SHARE:
            _paint_pole(picture, random)
        return developed(picture.reduce(_FINER), look, draw_light(look, random), random)


def _draw_view(vehicle: Vehicle, camera: Camera, size: tuple[int, int], random: Random) -> View:
    """Draw how a vehicle stands, and put a detector's box around it."""
    view = View(
        yaw=random.choice(camera.facings) + random.uniform(-0.22, 0.22),
        tilt=camera.tilt + random.uniform(-0.04, 0.04),
        scale=1.0,
        column=0.0,
        ground=0.0,
    )
    shown = [
        view.pixel((side * outline.half, forward, height))
        for outline in SHAPES[vehicle.body].outlines
        for forward, up in outline.spots
        for height in (0.0, up)
        for side in (-1, 1)
    ]
    columns, rows = zip(*shown, strict=True)
    width, height = max(columns) - min(columns), max(rows) - min(rows)
    filled = random.uniform(0.8, 0.95)
    scale = filled * min(size[0] / width, size[1] / height)
    middle = (max(columns) + min(columns)) / 2, (max(rows) + min(rows)) / 2
    shift = [random.uniform(-0.03, 0.03) * extent for extent in size]
    return replace(
        view,
        scale=scale,
        column=size[0] / 2 - middle[0] * scale + shift[0],
        ground=size[1] / 2 - middle[1] * scale + shift[1],
    )


def _pave(picture: Image.Image, view: View, random: Random) -> None:
    """Paint the road from where the vehicle stands downwards, in place."""
    top = round(view.ground - 1.4 * view.scale * math.sin(view.tilt))
    tone = random.randrange(86, 118)
    paint = ImageDraw.Draw(picture)
    paint.rectangle((0, top, picture.width, picture.height), fill=(tone, tone, tone + 4))
    paint.rectangle((0, top, picture.width, top + 2), fill=(tone + 50, tone + 50, tone + 46))


def _shade_ground(picture: Image.Image, vehicle: Vehicle, view: View) -> None:
    """Darken the ground below a vehicle, in place."""
    shape = SHAPES[vehicle.body]
    half = shape.outlines[-1].half + 0.1
    spots = [forward for outline in shape.outlines for forward, _ in outline.spots]
    ground = Panels((1, 1), view, 0.0).shadow((-half, half, min(spots), max(spots)))
    shade = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shade).polygon(ground, fill=150)
    picture.paste((24, 24, 28), (0, 0), shade)


def _paint_pole(picture: Image.Image, random: Random) -> None:
    """Paint a post in front of the vehicle, in place."""
    left, wide = random.uniform(0.1, 0.85) * picture.width, 0.045 * picture.width
    paint = ImageDraw.Draw(picture)
    for k in range(5):
        tone = 92 + round(52 * math.sin(math.pi * (k + 0.5) / 5))
        edges = left + wide * k / 5, left + wide * (k + 1) / 5
        paint.rectangle((edges[0], 0, edges[1], picture.height), fill=(tone, tone, tone + 6))
