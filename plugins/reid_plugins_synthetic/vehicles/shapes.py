"""Bodies from the side: outlines in metres, what each of their edges is, windows and wheels."""

from __future__ import annotations

from typing import NamedTuple

Spot = tuple[float, float]
"""A place on the side of a body: forward of its middle, and up, in metres."""


class Outline(NamedTuple):
    """A body from the side, from the rear's foot over the roof to the front's foot.

    Attributes:
        spots: corners, one more than there are edges.
        edges: what each edge is: ``end``, ``paint``, ``glass``, ``roof``, ``bed``, ``cargo``.
        half: half of its width in metres.
    """

    spots: tuple[Spot, ...]
    edges: tuple[str, ...]
    half: float


class Shape(NamedTuple):
    """A vehicle's body.

    Attributes:
        outlines: its solids; the first one has the windows and marks.
        windows: polygons on the sides of the first one, from the rear to the front.
        axles: forward places of the wheels.
        radius: of the wheels.
        roof: from where to where the roof goes, and how high it is.
    """

    outlines: tuple[Outline, ...]
    windows: tuple[tuple[Spot, ...], ...]
    axles: tuple[float, ...]
    radius: float
    roof: tuple[float, float, float]


_CAR = ("end", "paint", "glass", "roof", "glass", "paint", "end")

SHAPES: dict[str, Shape] = {
    "hatchback": Shape(
        (
            Outline(
                ((-1.9, 0.3), (-1.92, 0.85), (-1.86, 0.98), (-1.5, 1.46), (0.1, 1.5), (0.95, 1.0),
                 (1.86, 0.82), (1.95, 0.3)),
                _CAR, 0.86,
            ),
        ),
        (((-1.6, 1.02), (-1.36, 1.38), (-0.75, 1.41), (-0.75, 1.0)),
         ((-0.67, 1.0), (-0.67, 1.41), (0.06, 1.41), (0.74, 1.0))),
        (-1.25, 1.25), 0.31, (-1.4, 0.0, 1.49),
    ),
    "saloon": Shape(
        (
            Outline(
                ((-2.3, 0.3), (-2.32, 0.92), (-1.55, 1.0), (-1.02, 1.42), (0.3, 1.45), (1.05, 0.98),
                 (2.2, 0.8), (2.3, 0.3)),
                _CAR, 0.9,
            ),
        ),
        (((-1.36, 1.0), (-0.96, 1.35), (-0.42, 1.37), (-0.42, 0.98)),
         ((-0.34, 0.98), (-0.34, 1.37), (0.26, 1.37), (0.86, 0.98))),
        (-1.4, 1.42), 0.32, (-0.95, 0.25, 1.45),
    ),
    "estate": Shape(
        (
            Outline(
                ((-2.25, 0.3), (-2.28, 0.9), (-2.2, 1.0), (-1.85, 1.44), (0.3, 1.47), (1.05, 0.98),
                 (2.2, 0.8), (2.3, 0.3)),
                _CAR, 0.9,
            ),
        ),
        (((-2.0, 1.02), (-1.76, 1.37), (-1.2, 1.39), (-1.2, 1.0)),
         ((-1.12, 1.0), (-1.12, 1.39), (-0.42, 1.39), (-0.42, 0.99)),
         ((-0.34, 0.99), (-0.34, 1.39), (0.26, 1.39), (0.86, 0.99))),
        (-1.4, 1.42), 0.32, (-1.8, 0.25, 1.47),
    ),
    "suv": Shape(
        (
            Outline(
                ((-2.2, 0.42), (-2.24, 1.05), (-2.18, 1.16), (-1.95, 1.7), (0.35, 1.74),
                 (1.0, 1.18), (2.12, 1.08), (2.22, 0.42)),
                _CAR, 0.95,
            ),
        ),
        (((-2.02, 1.18), (-1.86, 1.62), (-1.2, 1.64), (-1.2, 1.18)),
         ((-1.11, 1.18), (-1.11, 1.64), (-0.4, 1.64), (-0.4, 1.18)),
         ((-0.31, 1.18), (-0.31, 1.64), (0.3, 1.64), (0.82, 1.18))),
        (-1.36, 1.36), 0.38, (-1.9, 0.3, 1.74),
    ),
    "van": Shape(
        (
            Outline(
                ((-2.5, 0.36), (-2.52, 1.1), (-2.5, 1.3), (-2.42, 2.1), (1.1, 2.12), (1.85, 1.3),
                 (2.45, 1.1), (2.52, 0.36)),
                _CAR, 0.98,
            ),
        ),
        (((0.35, 1.32), (0.35, 1.86), (1.05, 1.86), (1.62, 1.32)),),
        (-1.55, 1.6), 0.36, (-2.35, 1.0, 2.12),
    ),
    "pickup": Shape(
        (
            Outline(
                ((-2.6, 0.45), (-2.62, 1.06), (-0.75, 1.08), (-0.62, 1.7), (0.4, 1.73),
                 (1.05, 1.15), (2.3, 1.05), (2.4, 0.45)),
                ("end", "bed", "glass", "roof", "glass", "paint", "end"), 0.94,
            ),
        ),
        (((-0.62, 1.16), (-0.54, 1.62), (-0.1, 1.63), (-0.1, 1.16)),
         ((-0.02, 1.16), (-0.02, 1.63), (0.34, 1.63), (0.88, 1.16))),
        (-1.6, 1.5), 0.39, (-0.55, 0.35, 1.73),
    ),
    "lorry": Shape(
        (
            Outline(
                ((1.15, 0.5), (1.15, 2.3), (1.3, 2.42), (2.35, 2.4), (2.72, 1.5), (2.8, 0.5)),
                ("paint", "paint", "roof", "glass", "end"), 1.05,
            ),
            Outline(
                ((-3.0, 0.75), (-3.0, 2.85), (1.02, 2.85), (1.02, 0.75)),
                ("cargo", "cargo", "cargo"), 1.15,
            ),
        ),
        (((1.45, 1.5), (1.45, 2.18), (2.25, 2.18), (2.54, 1.5)),),
        (-2.1, -1.3, 2.0), 0.46, (-2.7, 0.6, 2.85),
    ),
}  # fmt: skip
