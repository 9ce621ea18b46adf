"""Painting solids: limbs, tubes and balls in flat colour, with their light kept beside it.

A figure is painted from back to front on two layers. `colour` (RGBA) holds cloth and skin, and its
alpha says where the figure is; `light` (L) holds the shading of the same solids. Patterns are
painted on the colour alone, so that a striped sleeve is shaded like a plain one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw

from reid_plugins_synthetic.view import Pixel, Point, View

Colour = tuple[int, int, int]

_ARC = tuple((math.cos(math.pi * k / 6), math.sin(math.pi * k / 6)) for k in range(7))
_RIM, _BODY, _SHINE = 150, 196, 236
_SLICES = (
    (-1.0, 142),
    (-0.72, 180),
    (-0.42, 214),
    (-0.1, 238),
    (0.22, 216),
    (0.52, 186),
    (0.8, 152),
)


class Ring(NamedTuple):
    """A level of a tube: its height and half axes (across the body, along the view forward)."""

    up: float
    across: float
    along: float


class Tube(NamedTuple):
    """A vertical solid with elliptic rings, such as a torso, a skirt or a backpack."""

    rings: tuple[Ring, ...]
    left: float = 0.0
    forward: float = 0.0

    def ring_at(self, up: float) -> Ring:
        """Return the ring at a height, interpolated between the given ones (highest first)."""
        for high, low in zip(self.rings, self.rings[1:], strict=False):
            if up >= low.up:
                part = min(1.0, max(0.0, (up - low.up) / (high.up - low.up)))
                return Ring(
                    up,
                    low.across + part * (high.across - low.across),
                    low.along + part * (high.along - low.along),
                )
        return self.rings[-1]._replace(up=up)


class Canvas:
    """The layers of one figure seen in one view.

    Args:
        size: width and height in pixels.
        view: the projection of the body.
        lit_from: where the light comes from: -1 left of the picture to 1 right of it.
    """

    def __init__(self, size: tuple[int, int], view: View, lit_from: float) -> None:
        self.view = view
        self.colour = Image.new("RGBA", size, (0, 0, 0, 0))
        self.light = Image.new("L", size, _BODY)
        self._lit_from = lit_from
        self._paint = ImageDraw.Draw(self.colour)
        self._shade = ImageDraw.Draw(self.light)

    def limb(self, start: Point, end: Point, radii: tuple[float, float], colour: Colour) -> None:
        """Paint a tapered rod between two points of the body, with round ends."""
        a, b = self.view.pixel(start), self.view.pixel(end)
        thick = self.view.scale * self.view.stretch
        r, s = radii[0] * thick, radii[1] * thick
        outline = _rod(a, b, r, s)
        self._paint.polygon(outline, fill=colour)
        self._shade.polygon(outline, fill=_RIM)
        for share, level in ((0.78, _BODY), (0.4, _SHINE)):
            dx = self._lit_from * (1 - share) * 0.5
            c, d = _stretched((a[0] + dx * r, a[1]), (b[0] + dx * s, b[1]), r, s, 1 - share)
            inner = _rod(c, d, r * share, s * share)
            self._shade.polygon(inner, fill=level)

    def ball(self, centre: Point, across: float, up: float, colour: Colour) -> None:
        """Paint an upright ellipse of the given half axes around a point of the body."""
        self.disc(centre, across, up, colour)
        x, y = self.view.pixel(centre)
        w, h = across * self.view.scale * self.view.stretch, up * self.view.scale
        for share, level in ((1.0, _RIM + 20), (0.82, _BODY), (0.5, _SHINE)):
            dx, dy = self._lit_from * (1 - share) * 0.6 * w, -(1 - share) * 0.4 * h
            box = (x + dx - w * share, y + dy - h * share, x + dx + w * share, y + dy + h * share)
            self._shade.ellipse(box, fill=level)

    def disc(self, centre: Point, across: float, up: float, colour: Colour) -> None:
        """Paint an upright ellipse on the colour alone."""
        x, y = self.view.pixel(centre)
        w, h = across * self.view.scale * self.view.stretch, up * self.view.scale
        self._paint.ellipse((x - w, y - h, x + w, y + h), fill=colour)

    def tube(self, tube: Tube, colour: Colour) -> None:
        """Paint a tube with its shading."""
        self._paint.polygon(self._wall(tube, tube.rings, -1.0, 1.0), fill=colour)
        for start, level in _SLICES:
            begin = start if start == -1.0 else max(-1.0, start + 0.25 * self._lit_from)
            self._shade.polygon(self._wall(tube, tube.rings, begin, 1.0), fill=level)

    def patch(
        self, tube: Tube, azimuths: tuple[float, float], ups: tuple[float, float], colour: Colour
    ) -> None:
        """Paint a patch of a tube's surface, as far as it can be seen.

        Args:
            tube: the solid that carries the patch.
            azimuths: its two sides in radians around the tube: 0 is the front, positive is left.
            ups: its upper and lower edge.
            colour: its colour.
        """
        top, bottom = (tube.ring_at(up) for up in ups)
        inside = tuple(ring for ring in tube.rings if bottom.up < ring.up < top.up)
        rings = (top, *inside, bottom)
        begin = _wrapped(azimuths[0] + self._turn(top))
        end = begin + azimuths[1] - azimuths[0]
        for lap in (0.0, 2 * math.pi):
            left = math.sin(max(begin - lap, -math.pi / 2))
            right = math.sin(min(end - lap, math.pi / 2))
            if begin - lap < math.pi / 2 and end - lap > -math.pi / 2 and right - left > 0.02:
                self._paint.polygon(self._wall(tube, rings, left, right), fill=colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Paint a line through points of the body; `width` in units of stature."""
        thick = max(1, round(width * self.view.scale))
        path = [self.view.pixel(point) for point in points]
        self._paint.line(path, fill=colour, width=thick, joint="curve")

    def flat(self, points: Sequence[Point], colour: Colour, level: int = _BODY) -> None:
        """Paint a flat polygon through points of the body, evenly lit."""
        path = [self.view.pixel(point) for point in points]
        self._paint.polygon(path, fill=colour)
        self._shade.polygon(path, fill=level)

    def finished(self) -> Image.Image:
        """Return the shaded figure, RGBA."""
        red, green, blue, alpha = self.colour.split()
        shaded = [ImageChops.multiply(band, self.light) for band in (red, green, blue)]
        return Image.merge("RGBA", (*shaded, alpha))

    def _turn(self, ring: Ring) -> float:
        return math.atan2(ring.along * self.view.sin, ring.across * self.view.cos)

    def _wall(self, tube: Tube, rings: Sequence[Ring], left: float, right: float) -> list[Pixel]:
        """Return the outline of a tube between two shares of its visible half width."""
        sides: tuple[list[Pixel], list[Pixel]] = ([], [])
        scale = self.view.scale
        for ring in rings:
            x, y = self.view.pixel((tube.left, tube.forward, ring.up))
            half = (
                scale
                * self.view.stretch
                * math.hypot(ring.across * self.view.cos, ring.along * self.view.sin)
            )
            sides[0].append((x + left * half, y))
            sides[1].append((x + right * half, y))
        return sides[0] + sides[1][::-1]


def _wrapped(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _stretched(a: Pixel, b: Pixel, r: float, s: float, share: float) -> tuple[Pixel, Pixel]:
    """Move the ends of a rod outwards by a share of their radii.

    A lighter inner rod then reaches the ends of its outer one, so that no dark rim crosses a joint.
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    x, y = share * dx / length, share * dy / length
    return (a[0] - r * x, a[1] - r * y), (b[0] + s * x, b[1] + s * y)


def _rod(a: Pixel, b: Pixel, r: float, s: float) -> list[Pixel]:
    """Return the outline of a tapered rod with round ends, in pixels."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    ux, uy = (dx / length, dy / length) if length > 1e-6 else (0.0, 1.0)
    head = [(a[0] - r * (c * uy + n * ux), a[1] - r * (n * uy - c * ux)) for c, n in _ARC]
    foot = [(b[0] + s * (c * uy + n * ux), b[1] + s * (n * uy - c * ux)) for c, n in _ARC]
    return head + foot
