"""How a point of the body becomes a point of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Point = tuple[float, float, float]
"""A point of the body as (left, forward, up), in units of the person's stature."""

Pixel = tuple[float, float]


@dataclass(frozen=True)
class View:
    """An orthographic view of a standing person.

    Args:
        yaw: where the person faces, in radians: 0 towards the camera, pi away from it,
            pi / 2 to the right of the picture.
        tilt: how far the camera looks down, in radians.
        scale: pixels for one unit of stature.
        stretch: how much wider than high a unit is: a detector's slim box becomes a wider picture.
        column: pixel column of the person's axis.
        ground: pixel row of the ground between the feet.
    """

    yaw: float
    tilt: float
    scale: float
    column: float
    ground: float
    stretch: float = 1.0
    cos: float = field(init=False)
    sin: float = field(init=False)
    _rise: float = field(init=False)
    _fall: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cos", math.cos(self.yaw))
        object.__setattr__(self, "sin", math.sin(self.yaw))
        object.__setattr__(self, "_rise", math.cos(self.tilt) * self.scale)
        object.__setattr__(self, "_fall", math.sin(self.tilt) * self.scale)

    def depth(self, point: Point) -> float:
        """Return how near to the camera a point is (larger is nearer)."""
        return point[1] * self.cos - point[0] * self.sin

    def pixel(self, point: Point) -> Pixel:
        """Project a point of the body."""
        left, forward, up = point
        across = left * self.cos + forward * self.sin
        near = forward * self.cos - left * self.sin
        row = self.ground - up * self._rise + near * self._fall
        return self.column + across * self.scale * self.stretch, row
