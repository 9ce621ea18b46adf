"""The six cameras: how each changes colour, light, sharpness and framing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from reid_plugins_synthetic.view import View

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
    Camera(
        scene="hall",
        cast=(1.08, 1.0, 0.9), exposure=1.06, gamma=0.97, saturation=1.0, lift=0.02,
        blur=0.3, noise=4,
        tilt=0.14, zoom=0.92, lit_from=-0.6, facings=(FRONT, FRONT, RIGHT),
    ),
    Camera(
        scene="street",
        cast=(0.94, 1.0, 1.1), exposure=0.98, gamma=1.03, saturation=0.9, lift=0.04,
        blur=0.4, noise=4,
        tilt=0.08, zoom=0.9, lit_from=0.7, facings=(RIGHT, LEFT, FRONT),
    ),
    Camera(
        scene="park",
        cast=(0.94, 1.07, 0.9), exposure=0.94, gamma=1.08, saturation=1.05, lift=0.0,
        blur=0.35, noise=5,
        tilt=0.05, zoom=0.93, lit_from=0.3, facings=(BACK, BACK, LEFT),
    ),
    Camera(
        scene="corridor",
        cast=(1.0, 1.06, 0.94), exposure=0.84, gamma=1.12, saturation=0.78, lift=0.03,
        blur=0.6, noise=6,
        tilt=0.24, zoom=0.97, lit_from=0.0, facings=(BACK, FRONT, LEFT),
    ),
    Camera(
        scene="night",
        cast=(1.12, 0.95, 0.78), exposure=0.8, gamma=1.0, saturation=0.82, lift=0.03,
        blur=0.5, noise=8,
        tilt=0.16, zoom=0.92, lit_from=-0.8, facings=(RIGHT, LEFT, BACK),
    ),
    Camera(
        scene="plaza",
        cast=(1.0, 1.02, 1.06), exposure=1.1, gamma=0.94, saturation=0.75, lift=0.07,
        blur=0.65, noise=4,
        tilt=0.18, zoom=0.86, lit_from=0.5, facings=(FRONT, BACK, RIGHT),
    ),
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
