"""The six cameras: how each changes colour, light, sharpness and framing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from reid_plugins_datasets.synthetic.view import View

FRONT, BACK, RIGHT, LEFT = 0.0, math.pi, math.pi / 2, -math.pi / 2

_STRETCH = 1.22


@dataclass(frozen=True)
class Camera:
    """One camera of the network.

    Args:
        scene: name of the backdrop.
        cast: gains of red, green and blue.
        exposure: gain of all three.
        gamma: exponent of the tone curve; above 1 darkens the middle.
        saturation: 0 is grey, 1 leaves the colours as they are.
        lift: how far black is raised, 0 to 1 (haze).
        blur: radius of the lens blur in pixels of a picture 128 pixels high.
        noise: amplitude of the sensor noise in grey levels.
        tilt: how far the camera looks down, in radians.
        zoom: mean height of a person, as a share of the picture's height.
        lit_from: where the light comes from: -1 left, 1 right.
        facings: the directions in which people mostly walk, in radians.
    """

    scene: str
    cast: tuple[float, float, float]
    exposure: float
    gamma: float
    saturation: float
    lift: float
    blur: float
    noise: float
    tilt: float
    zoom: float
    lit_from: float
    facings: tuple[float, ...]


CAMERAS: tuple[Camera, ...] = (
    Camera("hall", (1.08, 1.0, 0.90), 1.06, 0.97, 1.0, 0.02, 0.3, 4, 0.14, 0.92, -0.6,
           (FRONT, FRONT, RIGHT)),
    Camera("street", (0.94, 1.0, 1.10), 0.98, 1.03, 0.9, 0.04, 0.4, 4, 0.08, 0.90, 0.7,
           (RIGHT, LEFT, FRONT)),
    Camera("park", (0.94, 1.07, 0.90), 0.94, 1.08, 1.05, 0.0, 0.35, 5, 0.05, 0.93, 0.3,
           (BACK, BACK, LEFT)),
    Camera("corridor", (1.0, 1.06, 0.94), 0.84, 1.12, 0.78, 0.03, 0.6, 6, 0.24, 0.97, 0.0,
           (BACK, FRONT, LEFT)),
    Camera("night", (1.12, 0.95, 0.78), 0.8, 1.0, 0.82, 0.03, 0.5, 8, 0.16, 0.92, -0.8,
           (RIGHT, LEFT, BACK)),
    Camera("plaza", (1.0, 1.02, 1.06), 1.1, 0.94, 0.75, 0.07, 0.65, 4, 0.18, 0.86, 0.5,
           (FRONT, BACK, RIGHT)),
)  # fmt: skip


def draw_view(camera: Camera, stature: float, size: tuple[int, int], random: Random) -> View:
    """Draw where a detector's box around a person ends up in one camera.

    Args:
        camera: the camera.
        stature: the person's stature relative to the mean.
        size: width and height of the picture in pixels.
        random: the stream to draw from.
    """
    width, height = size
    zoom = camera.zoom * (1 + random.uniform(-0.07, 0.07)) * (1 + 0.6 * (stature - 1))
    scale = zoom * height / (math.cos(camera.tilt) + 0.06 * math.sin(camera.tilt))
    middle = 0.5 * height * (1 + random.uniform(-0.04, 0.04))
    return View(
        yaw=random.choice(camera.facings) + random.uniform(-0.5, 0.5),
        tilt=camera.tilt,
        scale=scale,
        column=width * (0.5 + random.uniform(-0.07, 0.07)),
        ground=middle + 0.5 * scale * math.cos(camera.tilt),
        stretch=_STRETCH * (1 + random.uniform(-0.06, 0.06)),
    )
