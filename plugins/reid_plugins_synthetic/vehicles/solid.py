"""Painting flat faces of solids in perspectiveless view, each lit by where it faces."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw

from reid_plugins_synthetic.canvas import Colour
from reid_plugins_synthetic.vehicles.shapes import Outline, Spot
from reid_plugins_synthetic.view import Pixel, Point, View

_AMBIENT, _DIRECT = 0.58, 0.5
_ROUND = 22


class Panels:
    """The layer that a vehicle is painted on, from far to near.

    Args:
        size: width and height in pixels.
        view: the projection; a point is left, forward and up of the vehicle, in metres.
        lit_from: where the light comes from: -1 left of the picture to 1 right of it.
    """

    def __init__(self, size: tuple[int, int], view: View, lit_from: float) -> None:
        self.view = view
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self._paint = ImageDraw.Draw(self.image)
        length = math.sqrt(0.25 * lit_from**2 + 0.3 + 0.55)
        self._light = (0.5 * lit_from / length, math.sqrt(0.3) / length, math.sqrt(0.55) / length)

    def facing(self, normal: Point) -> float:
        """Return how far a face looks at the camera; less than 0 if it cannot be seen."""
        return self.view.depth(normal) * math.cos(self.view.tilt) + normal[2] * math.sin(
            self.view.tilt
        )

    def face(self, points: Iterable[Point], colour: Colour, normal: Point) -> None:
        """Paint a face if it looks at the camera."""
        if self.facing(normal) > 0.01:
            shown = [self.view.pixel(point) for point in points]
            self._paint.polygon(shown, fill=_lit(colour, self._level(normal)))

    def on_side(self, spots: Iterable[Spot], left: float, colour: Colour) -> None:
        """Paint a polygon on a side of the body.

        Args:
            spots: its corners.
            left: how far left of the middle the side is; negative on the right.
            colour: its colour.
        """
        normal = (math.copysign(1.0, left), 0.0, 0.0)
        self.face(((left, forward, up) for forward, up in spots), colour, normal)

    def disc(self, middle: Spot, left: float, radius: float, colour: Colour) -> None:
        """Paint a circle on a side of the body."""
        turns = (2 * math.pi * k / _ROUND for k in range(_ROUND))
        ring = [
            (middle[0] + radius * math.cos(turn), middle[1] + radius * math.sin(turn))
            for turn in turns
        ]
        self.on_side(ring, left, colour)

    def on_end(self, end: float, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Paint a rectangle on the front or the rear.

        Args:
            end: how far forward of the middle it is; negative at the rear.
            box: its left, right, lower and upper edge; left is the vehicle's left.
            colour: its colour.
        """
        left, right, low, high = box
        corners = ((left, low), (left, high), (right, high), (right, low))
        normal = (0.0, math.copysign(1.0, end), 0.0)
        self.face(((x, end, up) for x, up in corners), colour, normal)

    def solid(self, outline: Outline, colours: dict[str, Colour], side: Colour) -> None:
        """Paint an outline, drawn out to its width: its edges, then the side that is seen."""
        strips = []
        edges = zip(outline.spots, outline.spots[1:], outline.edges, strict=False)
        for (back, low), (front, high), kind in edges:
            length = math.hypot(front - back, high - low) or 1.0
            normal = (0.0, (low - high) / length, (front - back) / length)
            corners = [
                (left, forward, up)
                for left, forward, up in (
                    (-outline.half, back, low),
                    (-outline.half, front, high),
                    (outline.half, front, high),
                    (outline.half, back, low),
                )
            ]
            middle = (0.0, (back + front) / 2, (low + high) / 2)
            strips.append((self.view.depth(middle), corners, colours[kind], normal))
        for _, corners, colour, normal in sorted(strips, key=lambda strip: strip[0]):
            self.face(corners, colour, normal)
        for left in (-outline.half, outline.half):
            self.on_side(outline.spots, left, side)

    def shadow(self, box: tuple[float, float, float, float]) -> list[Pixel]:
        """Return the outline of a rectangle on the ground: left, right, rear and front."""
        left, right, rear, front = box
        corners = ((left, rear), (left, front), (right, front), (right, rear))
        return [self.view.pixel((x, y, 0.0)) for x, y in corners]

    def _level(self, normal: Point) -> float:
        across = normal[0] * self.view.cos + normal[1] * self.view.sin
        near = self.view.depth(normal)
        towards = sum(a * b for a, b in zip((across, near, normal[2]), self._light, strict=True))
        return _AMBIENT + _DIRECT * max(0.0, towards)


def _lit(colour: Colour, level: float) -> tuple[int, int, int, int]:
    red, green, blue = (min(255, round(part * level)) for part in colour)
    return red, green, blue, 255
