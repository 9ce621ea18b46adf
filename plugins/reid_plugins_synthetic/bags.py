"""Bags: which stay on their side of the body, and so change sides in the picture."""

from __future__ import annotations

import math

from reid_plugins_synthetic.canvas import Canvas, Ring, Tube
from reid_plugins_synthetic.garments import darker, lighter, torso_of
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.view import Point

_PACK = Tube(
    (
        Ring(0.81, 0.05, 0.03),
        Ring(0.79, 0.075, 0.048),
        Ring(0.6, 0.085, 0.062),
        Ring(0.575, 0.07, 0.05),
    ),
    forward=-0.105,
)


def bag_depth(canvas: Canvas, person: Person, hand: Point) -> float:
    """Return how near a person's bag is to the camera, relative to the torso."""
    side = 1.0 if person.bag_left else -1.0
    places: dict[str, Point] = {
        "backpack": (0.0, -0.1, 0.7),
        "satchel": (side * 0.12, -0.02, 0.5),
        "handbag": (hand[0] + side * 0.02, hand[1], hand[2]),
    }
    return canvas.view.depth(places[person.bag])


def paint_straps(canvas: Canvas, person: Person) -> None:
    """Paint the straps that run over the top."""
    torso, side = torso_of(person), 1.0 if person.bag_left else -1.0
    if person.bag == "backpack":
        for middle in (-0.75, 0.75):
            canvas.patch(
                torso, (middle - 0.16, middle + 0.16), (0.835, 0.64), darker(person.bag_colour)
            )
    elif person.bag == "satchel":
        steps = 7
        for k in range(steps):
            up = 0.83 - 0.3 * k / steps
            for face, turn in ((0.0, 1.0), (math.pi, -1.0)):
                middle = face + turn * side * (-0.9 + 2.1 * (k + 0.5) / steps)
                span = (middle - 0.24, middle + 0.24)
                canvas.patch(torso, span, (up, up - 0.3 / steps), darker(person.bag_colour))


def paint_bag(canvas: Canvas, person: Person, hand: Point) -> None:
    """Paint the bag itself; a handbag hangs from `hand`."""
    side = 1.0 if person.bag_left else -1.0
    if person.bag == "backpack":
        canvas.tube(_PACK, person.bag_colour)
        canvas.patch(_PACK, (math.pi - 0.9, math.pi + 0.9), (0.69, 0.61), darker(person.bag_colour))
        canvas.patch(
            _PACK, (math.pi - 0.9, math.pi + 0.9), (0.76, 0.75), lighter(person.bag_colour)
        )
    elif person.bag == "satchel":
        rings = (Ring(0.545, 0.028, 0.082), Ring(0.435, 0.032, 0.09))
        bag = Tube(rings, left=side * 0.118 * person.girth, forward=-0.02)
        canvas.tube(bag, person.bag_colour)
        flap = (-math.pi, math.pi)
        canvas.patch(bag, flap, (0.545, 0.5), darker(person.bag_colour))
    elif person.bag == "handbag":
        x, y, z = hand[0] + side * 0.015, hand[1], hand[2]
        rings = (Ring(z - 0.045, 0.022, 0.05), Ring(z - 0.15, 0.032, 0.075))
        grip: list[Point] = [(x, y - 0.035, z - 0.05), (x, y, z + 0.012), (x, y + 0.035, z - 0.05)]
        canvas.stroke(grip, 0.014, darker(person.bag_colour))
        bag = Tube(rings, left=x, forward=y)
        canvas.tube(bag, person.bag_colour)
        canvas.patch(bag, (-math.pi, math.pi), (z - 0.045, z - 0.06), lighter(person.bag_colour))
