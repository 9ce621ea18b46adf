"""Tops and legs: the solids of each garment and the patterns on them."""

from __future__ import annotations

import math
from collections.abc import Callable

from reid_plugins_synthetic.canvas import Canvas, Colour, Ring, Tube
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.pose import Arm, Leg
from reid_plugins_synthetic.view import Point

_HEMS = {"tee": 0.47, "shirt": 0.47, "jacket": 0.455, "coat": 0.3, "vest": 0.48}
_BULK = {"tee": 1.0, "shirt": 1.0, "jacket": 1.12, "coat": 1.1, "vest": 1.1}
_SLEEVES = {"tee": 0.55, "shirt": 1.9, "jacket": 1.95, "coat": 1.95, "vest": 0.0}


def torso_of(person: Person) -> Tube:
    """Return the solid of a person's top, from the neck to the hem."""
    girth, bulk, hem = person.girth, _BULK[person.top], _HEMS[person.top]
    g = girth * bulk
    rings = [
        Ring(0.848, 0.045 * g, 0.04 * g),
        Ring(0.828, 0.088 * girth, 0.056 * g),
        Ring(0.795, 0.112 * girth, 0.07 * g),
        Ring(0.7, 0.1 * g, 0.075 * g),
        Ring(0.6, 0.087 * g, 0.066 * g * girth),
        Ring(0.5, 0.094 * g, 0.074 * g),
    ]
    if person.top == "coat":
        rings.append(Ring(hem, 0.118 * g, 0.1 * g))
    else:
        rings.append(Ring(hem, 0.093 * g, 0.074 * g))
    return Tube(tuple(rings))


def paint_top(canvas: Canvas, person: Person) -> None:
    """Paint the torso with its pattern and its opening."""
    torso = torso_of(person)
    canvas.tube(torso, person.top_colour)
    _PATTERNS[person.pattern](canvas, torso, person)
    hem = _HEMS[person.top]
    if person.top == "jacket":
        canvas.patch(torso, (-0.5, 0.5), (0.83, hem), person.trim)
    elif person.top == "coat":
        canvas.patch(torso, (-0.06, 0.06), (0.8, hem), darker(person.top_colour))
        canvas.patch(torso, (-math.pi, math.pi), (0.6, 0.58), darker(person.top_colour))
        canvas.patch(torso, (-0.35, 0.35), (0.848, 0.78), person.trim)
    elif person.top == "shirt":
        canvas.patch(torso, (-0.05, 0.05), (0.83, hem), darker(person.top_colour))
        canvas.patch(torso, (-math.pi, math.pi), (0.848, 0.832), lighter(person.top_colour))
    else:
        canvas.patch(torso, (-0.5, 0.5), (0.848, 0.825), person.skin)


def paint_arm(canvas: Canvas, person: Person, arm: Arm) -> None:
    """Paint one arm: skin, and the sleeve as far as it reaches."""
    g = person.girth
    bulk = 1.15 if person.top in ("jacket", "coat") else 1.0
    sleeve = _SLEEVES[person.top]
    canvas.limb(arm.shoulder, arm.elbow, (0.03 * g, 0.024 * g), person.skin)
    canvas.limb(arm.elbow, arm.hand, (0.024 * g, 0.017 * g), person.skin)
    canvas.ball(arm.hand, 0.02, 0.022, person.skin)
    if sleeve == 0.0:
        return
    cloth = person.trim if person.pattern == "block" else person.top_colour
    if sleeve > 1.0:
        cuff = between(arm.elbow, arm.hand, sleeve - 1.0)
        canvas.limb(arm.elbow, cuff, (0.029 * g * bulk, 0.023 * g * bulk), cloth)
        canvas.limb(arm.shoulder, arm.elbow, (0.033 * g * bulk, 0.029 * g * bulk), cloth)
    else:
        cuff = between(arm.shoulder, arm.elbow, sleeve)
        canvas.limb(arm.shoulder, cuff, (0.034 * g, 0.037 * g), cloth)


def paint_leg(canvas: Canvas, person: Person, leg: Leg) -> None:
    """Paint one leg with its shoe; a skirt is painted apart, over both."""
    g = person.girth
    covered = person.legs in ("trousers", "wide")
    cloth = person.leg_colour if covered else person.skin
    wide = 1.35 if person.legs == "wide" else 1.0
    heel = (leg.ankle[0], leg.ankle[1] - 0.012, leg.ankle[2] - 0.008)
    canvas.limb(heel, leg.toe, (0.024, 0.018), person.shoes)
    shin_radii = (0.038 * g * wide, 0.026 * g * wide**2) if covered else (0.034 * g, 0.02 * g)
    canvas.limb(leg.knee, leg.ankle, shin_radii, cloth)
    canvas.limb(leg.hip, leg.knee, (0.054 * g, 0.04 * g * (wide if covered else 0.9)), cloth)
    if person.legs == "shorts":
        hem = between(leg.hip, leg.knee, 0.82)
        canvas.limb(leg.hip, hem, (0.057 * g, 0.053 * g), person.leg_colour)


def paint_skirt(canvas: Canvas, person: Person, stride: float) -> None:
    """Paint a skirt from the waist to the knee; it opens with the step."""
    g = person.girth
    flare = 0.1 + 0.06 * stride
    rings = (
        Ring(0.56, 0.08 * g, 0.065 * g),
        Ring(0.48, 0.1 * g, 0.08 * g),
        Ring(0.26, (flare + 0.02) * g, (flare + 0.03 * stride) * g),
    )
    canvas.tube(Tube(rings), person.leg_colour)


def darker(colour: Colour) -> Colour:
    """Return a colour for seams and folds."""
    return colour[0] * 5 // 8, colour[1] * 5 // 8, colour[2] * 5 // 8


def lighter(colour: Colour) -> Colour:
    """Return a colour for collars."""
    red, green, blue = (level + (255 - level) // 3 for level in colour)
    return red, green, blue


def between(start: Point, end: Point, share: float) -> Point:
    """Return the point at a share of the way from `start` to `end`."""
    x, y, z = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return x, y, z


def _plain(canvas: Canvas, torso: Tube, person: Person) -> None:
    """Leave the cloth as it is."""


def _hoops(canvas: Canvas, torso: Tube, person: Person) -> None:
    for k in range(4):
        top = 0.79 - 0.078 * k
        canvas.patch(torso, (-math.pi, math.pi), (top, top - 0.03), person.trim)


def _pinstripes(canvas: Canvas, torso: Tube, person: Person) -> None:
    for k in range(10):
        start = -math.pi + 0.2 * math.pi * k
        canvas.patch(torso, (start, start + 0.2), (0.82, torso.rings[-1].up), person.trim)


def _checks(canvas: Canvas, torso: Tube, person: Person) -> None:
    soft = _mixed(person.top_colour, person.trim)
    for k in range(5):
        top = 0.8 - 0.065 * k
        canvas.patch(torso, (-math.pi, math.pi), (top, top - 0.022), soft)
    for k in range(8):
        start = -math.pi + 0.25 * math.pi * k
        canvas.patch(torso, (start, start + 0.25), (0.82, torso.rings[-1].up), soft)
        for j in range(5):
            top = 0.8 - 0.065 * j
            canvas.patch(torso, (start, start + 0.25), (top, top - 0.022), person.trim)


def _print(canvas: Canvas, torso: Tube, person: Person) -> None:
    canvas.patch(torso, (-0.5, 0.5), (0.765, 0.64), person.trim)
    canvas.patch(torso, (math.pi - 0.55, math.pi + 0.55), (0.78, 0.72), person.trim)


def _block(canvas: Canvas, torso: Tube, person: Person) -> None:
    canvas.patch(torso, (-math.pi, math.pi), (0.848, 0.745), person.trim)


def _mixed(one: Colour, other: Colour) -> Colour:
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue


_PATTERNS: dict[str, Callable[[Canvas, Tube, Person], None]] = {
    "plain": _plain,
    "hoops": _hoops,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "print": _print,
    "block": _block,
}
