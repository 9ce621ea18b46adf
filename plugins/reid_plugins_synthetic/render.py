"""One picture: a person in a scene, through a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from reid_plugins_synthetic.backdrops import cut, paint_backdrop
from reid_plugins_synthetic.cameras import CAMERAS, Camera, draw_view
from reid_plugins_synthetic.figure import paint_figure
from reid_plugins_synthetic.occluders import paint_thing
from reid_plugins_synthetic.people import Person, draw_person
from reid_plugins_synthetic.pose import draw_pose
from reid_plugins_synthetic.view import View

_FINER = 2
"""Figures are painted this many times larger and averaged down, which smooths their edges."""

_THING_SHARE, _PASSER_SHARE = 0.15, 0.06


class Renderer:
    """Renders pictures of one data set; each depends on its own key alone, not on the order.

    Args:
        size: width and height of a picture in pixels.
        seed: seed of the data set.
    """

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._large = (size[0] * _FINER, size[1] * _FINER)
        self._seed = seed
        self._scenes = [
            paint_backdrop(camera.scene, self._large, Random(f"{seed}/scene/{camera.scene}"))
            for camera in CAMERAS
        ]

    def person(self, person: Person, camera: int, key: str) -> Image.Image:
        """Render a person in front of a camera (base 0); `key` picks pose, place and light."""
        random = Random(f"{self._seed}/picture/{camera}/{key}")
        view = draw_view(CAMERAS[camera], person.stature, self._large, random)
        return self._photographed(camera, [(person, view)], random)

    def clipped(self, person: Person, camera: int, key: str) -> Image.Image:
        """Render what a bad detection gives: a box that holds a part of the person only."""
        random = Random(f"{self._seed}/clipped/{camera}/{key}")
        view = draw_view(CAMERAS[camera], person.stature, self._large, random)
        shift = random.choice((-1, 1)) * random.uniform(0.5, 0.8)
        view = replace(
            view,
            scale=view.scale * random.uniform(1.3, 1.9),
            column=view.column + shift * self._large[0],
            ground=view.ground + random.uniform(-0.2, 0.7) * self._large[1],
        )
        return self._photographed(camera, [(person, view)], random)

    def nobody(self, camera: int, key: str) -> Image.Image:
        """Render the background that a detector mistook for a person."""
        random = Random(f"{self._seed}/nobody/{camera}/{key}")
        return self._photographed(camera, [], random)

    def _photographed(
        self, camera: int, people: list[tuple[Person, View]], random: Random
    ) -> Image.Image:
        look = CAMERAS[camera]
        picture = cut(self._scenes[camera], self._large, random)
        if people and random.random() < _PASSER_SHARE:
            people = [self._passer(look, people[0][1], random), *people]
        for person, view in people:
            paint_shadow(picture, view)
            figure = paint_figure(person, draw_pose(random), view, self._large, look.lit_from)
            picture.paste(figure, (0, 0), figure)
        if random.random() < _THING_SHARE or not people:
            paint_thing(picture, random)
        return developed(picture.reduce(_FINER), look, draw_light(look, random), random)

    def _passer(self, look: Camera, view: View, random: Random) -> tuple[Person, View]:
        """Draw somebody who walks behind the person, half outside the picture."""
        aside = draw_view(replace(look, zoom=look.zoom * 0.86), 1.0, self._large, random)
        shift = random.choice((-1, 1)) * random.uniform(0.34, 0.5) * self._large[0]
        ground = view.ground - 0.04 * self._large[1]
        return draw_person(random), replace(aside, column=view.column + shift, ground=ground)


def paint_shadow(picture: Image.Image, view: View) -> None:
    """Darken the ground below the feet, in place."""
    wide, high = 0.13 * view.scale, (0.018 + 0.08 * math.sin(view.tilt)) * view.scale
    shade = Image.new("L", (round(2 * wide), round(2 * high)), 0)
    ImageDraw.Draw(shade).ellipse((0, 0, shade.width - 1, shade.height - 1), fill=110)
    picture.paste((20, 20, 24), (round(view.column - wide), round(view.ground - high)), shade)


@dataclass(frozen=True)
class Light:
    """The light of a moment, as a camera meets it.

    Attributes:
        gains: of red, green and blue.
        blur: how much the lens blurs, relative to the camera's mean.
    """

    gains: tuple[float, ...]
    blur: float


def draw_light(camera: Camera, random: Random) -> Light:
    """Draw the light of a moment in one camera."""
    light = camera.exposure * random.uniform(0.9, 1.1)
    gains = tuple(light * gain * random.uniform(0.97, 1.03) for gain in camera.cast)
    return Light(gains, random.uniform(0.6, 1.4))


def developed(picture: Image.Image, camera: Camera, light: Light, random: Random) -> Image.Image:
    """Apply a camera's colour, tone, blur and noise; the noise is drawn from `random`."""
    grey, keep = 1 - camera.saturation, camera.saturation
    weights = (0.299, 0.587, 0.114)
    matrix: list[float] = []
    for row in range(3):
        matrix += [grey * w + (keep if row == column else 0.0) for column, w in enumerate(weights)]
        matrix.append(0.0)
    toned = picture.convert("RGB", tuple(matrix)).point(
        [level for gain in light.gains for level in _curve(gain, camera.gamma, camera.lift)]
    )
    blur = camera.blur * picture.height / 128 * light.blur
    return _noisy(toned.filter(ImageFilter.GaussianBlur(blur)), camera.noise, random)


def _curve(gain: float, gamma: float, lift: float) -> list[int]:
    """Return the tone curve of one band as a table of 256 levels."""
    tones, step = _tones(gamma, lift), 4 * gain
    return [tones[int(level * step)] for level in range(256)]


@cache
def _tones(gamma: float, lift: float) -> list[int]:
    """Return the tone curve for inputs in quarters of a level, up to twice the brightest."""
    tones = (min(1.0, k / 1020) ** gamma for k in range(2041))
    return [round(255 * (lift + (1 - lift) * tone)) for tone in tones]


def _noisy(picture: Image.Image, amplitude: float, random: Random) -> Image.Image:
    """Add sensor noise.

    Raw integers of a bit generator are the same in every version of numpy, unlike the streams of
    its distributions.
    """
    pixels = np.asarray(picture, dtype=np.int32)
    raw = np.random.PCG64(random.getrandbits(64)).random_raw((pixels.size + 1) // 2)
    words = raw.view(np.uint32)[: pixels.size].reshape(pixels.shape)
    pairs = (words & 0x00FF00FF) + (words >> 8 & 0x00FF00FF)
    bell = ((pairs + (pairs >> 16)) & 0xFFFF).astype(np.int32) - 510
    noisy = pixels + bell * round(amplitude * 256) // (148 * 256)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
