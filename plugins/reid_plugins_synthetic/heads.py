"""Heads: face, hair and hats, seen from any side."""

from __future__ import annotations

from reid_plugins_synthetic.canvas import Canvas
from reid_plugins_synthetic.garments import darker
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.view import Point

_CENTRE: Point = (0.0, 0.012, 0.93)
_ACROSS, _UP = 0.05, 0.066


def paint_head(canvas: Canvas, person: Person) -> None:
    """Paint neck, head, face, hair and hat."""
    facing = canvas.view.cos
    behind = facing < 0
    if not behind:
        _paint_long_hair(canvas, person)
    canvas.limb((0, 0, 0.83), (0, 0.006, 0.9), (0.028, 0.026), person.skin)
    covered = person.hair != "bald"
    canvas.ball(_CENTRE, _ACROSS, _UP, person.hair_colour if covered else person.skin)
    if covered:
        _paint_face(canvas, person, facing)
    if behind:
        _paint_long_hair(canvas, person)
    _paint_hat(canvas, person, facing)


def _paint_face(canvas: Canvas, person: Person, facing: float) -> None:
    """Paint the part of the head that the hair leaves free."""
    if facing < -0.75:
        return
    front = max(0.0, facing)
    centre = (0.0, _CENTRE[1] + 0.027 * (1 - 0.6 * front), _CENTRE[2] - 0.014)
    width = 0.041 * (0.5 + 0.5 * front) if facing > -0.3 else 0.014
    canvas.disc(centre, width, _UP * 0.74, person.skin)
    if front > 0.5:
        brow = (0.0, centre[1], centre[2] + 0.008)
        canvas.disc(brow, width * 0.7, 0.006, darker(person.skin))


def _paint_long_hair(canvas: Canvas, person: Person) -> None:
    """Paint hair that reaches beyond the head."""
    colour = person.hair_colour
    if person.hair == "long":
        canvas.limb((0, -0.015, 0.94), (0, -0.035, 0.785), (0.055, 0.058), colour)
    elif person.hair == "bob":
        canvas.limb((0, -0.004, 0.94), (0, -0.008, 0.885), (0.057, 0.056), colour)
    elif person.hair == "tail":
        canvas.limb((0, -0.05, 0.955), (0, -0.075, 0.84), (0.024, 0.014), colour)


def _paint_hat(canvas: Canvas, person: Person, facing: float) -> None:
    """Paint a cap with its peak or a beanie with its turn-up."""
    if person.hair not in ("cap", "beanie"):
        return
    crown = (0.0, 0.008, 0.966)
    canvas.ball(crown, 0.054, 0.038, person.hat_colour)
    if person.hair == "beanie":
        canvas.ball((0.0, 0.008, 0.952), 0.055, 0.017, darker(person.hat_colour))
    elif facing > -0.6:
        canvas.limb((0, 0.03, 0.953), (0, 0.085, 0.944), (0.02, 0.016), darker(person.hat_colour))
