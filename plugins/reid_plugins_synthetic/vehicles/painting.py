"""A vehicle, painted from far to near: wheels, body, glass, lights, and the marks that tell it."""

from __future__ import annotations

import math

from PIL import Image

from reid_plugins_synthetic.canvas import Colour
from reid_plugins_synthetic.garments import darker, lighter
from reid_plugins_synthetic.vehicles.fleet import Vehicle
from reid_plugins_synthetic.vehicles.shapes import SHAPES, Outline, Shape, Spot
from reid_plugins_synthetic.vehicles.solid import Panels
from reid_plugins_synthetic.view import View

GLASS: Colour = (58, 74, 92)
DARK_GLASS: Colour = (28, 30, 36)
TYRE: Colour = (34, 34, 36)
BUMPER: Colour = (58, 60, 64)
RUST: Colour = (120, 74, 48)


def paint_vehicle(
    vehicle: Vehicle, view: View, size: tuple[int, int], lit_from: float
) -> Image.Image:
    """Return a vehicle on a transparent layer.

    Args:
        vehicle: the vehicle.
        view: where it stands and faces, in pixels for a metre.
        size: width and height of the layer.
        lit_from: where the light comes from: -1 left of the picture to 1 right of it.
    """
    panels, shape = Panels(size, view, lit_from), SHAPES[vehicle.body]
    half = shape.outlines[0].half
    _paint_tyres(panels, shape, half)
    far_to_near = sorted(
        range(len(shape.outlines)),
        key=lambda place: view.depth((0.0, _middle(shape.outlines[place]), 0.0)),
    )
    for place in far_to_near:
        _paint_solid(panels, vehicle, shape.outlines[place], is_cargo=place > 0)
        if place == 0:
            _paint_cabin(panels, vehicle, shape)
    _paint_marks(panels, vehicle, shape)
    for side in (-half, half):
        _paint_wheels(panels, vehicle, shape, side)
    if vehicle.roof != "bare":
        _paint_roof(panels, vehicle, shape)
    return panels.image


def _middle(outline: Outline) -> float:
    return (outline.spots[0][0] + outline.spots[-1][0]) / 2


def _paint_solid(panels: Panels, vehicle: Vehicle, outline: Outline, is_cargo: bool) -> None:
    paint = vehicle.cargo if is_cargo else vehicle.paint
    glass = DARK_GLASS if vehicle.tinted else GLASS
    colours = {
        "end": paint,
        "paint": paint,
        "roof": lighter(paint),
        "bed": darker(darker(paint)),
        "cargo": vehicle.cargo,
        "glass": glass,
    }
    panels.solid(outline, colours, paint)
    if outline is SHAPES[vehicle.body].outlines[-1]:
        rear, top = outline.spots[0], outline.spots[1][1]
        _paint_rear(panels, vehicle, rear[0] - 0.02, outline.half, rear[1], min(top, 1.5))


def _paint_cabin(panels: Panels, vehicle: Vehicle, shape: Shape) -> None:
    """Paint what belongs to the cabin: windows, sill, bumpers, lights and plates."""
    outline = shape.outlines[0]
    rear, front = outline.spots[0], outline.spots[-1]
    low, half = rear[1], outline.half
    for side in (-half, half):
        sill = [(rear[0], low), (rear[0], low + 0.13), (front[0], low + 0.13), (front[0], low)]
        panels.on_side(sill, side, BUMPER)
        for place, window in enumerate(shape.windows):
            is_rear = place < len(shape.windows) - 1
            panels.on_side(window, side, DARK_GLASS if vehicle.tinted and is_rear else GLASS)
            panels.on_side(_gleam(window), side, (150, 168, 184))
        door = shape.windows[-1][0][0]
        edge = [(door, low + 0.16), (door, window[0][1]), (door + 0.03, window[0][1]),
                (door + 0.03, low + 0.16)]  # fmt: skip
        panels.on_side(edge, side, darker(vehicle.paint))
    light = outline.spots[-2][1] - 0.12
    _paint_front(panels, vehicle, front[0], half, low, light)


def _gleam(window: tuple[Spot, ...]) -> list[Spot]:
    """Return the strip of a window that mirrors the sky."""
    back, front = window[1], window[2]
    drop = 0.22 * (window[1][1] - window[0][1])
    return [(back[0], back[1] - drop), back, front, (front[0], front[1] - drop)]


def _paint_front(
    panels: Panels, vehicle: Vehicle, end: float, half: float, low: float, light: float
) -> None:
    panels.on_end(end, (-half, half, low, low + 0.2), BUMPER)
    panels.on_end(end, (-0.45, 0.45, low + 0.22, light), darker(darker(vehicle.paint)))
    for side in (-1, 1):
        box = (side * half * 0.95, side * half * 0.55, light - 0.08, light + 0.06)
        panels.on_end(end, box, (244, 240, 216))
    panels.on_end(end, (-0.26, 0.26, low + 0.05, low + 0.17), vehicle.plate)


def _paint_rear(
    panels: Panels, vehicle: Vehicle, end: float, half: float, low: float, high: float
) -> None:
    panels.on_end(end, (-half, half, low, low + 0.18), BUMPER)
    for side in (-1, 1):
        box = (side * half * 0.97, side * half * 0.72, high - 0.26, high - 0.06)
        panels.on_end(end, box, (186, 30, 34))
    panels.on_end(end, (-0.26, 0.26, low + 0.24, low + 0.36), vehicle.plate)


def _paint_marks(panels: Panels, vehicle: Vehicle, shape: Shape) -> None:
    """Paint stripes, stickers and dents on the largest side."""
    outline = shape.outlines[-1]
    rear = min(forward for forward, _ in outline.spots)
    front = max(forward for forward, _ in outline.spots)
    low, belt = outline.spots[0][1] + 0.16, _belt(shape)
    length, height = front - rear, belt - low
    for side in (-outline.half, outline.half):
        for bottom, top in _stripes(vehicle.stripe):
            ups = low + bottom * height, low + top * height
            ends = (rear, front) if vehicle.stripe != "doors" else (-0.4, 0.8)
            band = [(ends[0], ups[0]), (ends[0], ups[1]), (ends[1], ups[1]), (ends[1], ups[0])]
            panels.on_side(band, side, vehicle.trim)
        middle = (rear + vehicle.place * length, low + 0.5 * height)
        _paint_sticker(panels, vehicle, middle, side, 0.42 * min(height, 1.2))
        for at, along, up in vehicle.dents:
            if at * side > 0:
                spot = (rear + along * length, low + up * height)
                panels.disc(spot, side, 0.13, darker(vehicle.paint))
                panels.disc((spot[0] + 0.03, spot[1] - 0.03), side, 0.07, RUST)


def _belt(shape: Shape) -> float:
    """Return how high marks reach: to the windows, or over the whole side of a box."""
    if len(shape.outlines) > 1:
        return max(up for _, up in shape.outlines[-1].spots) - 0.15
    return shape.windows[0][0][1] - 0.04


def _stripes(stripe: str) -> tuple[tuple[float, float], ...]:
    """Return the lower and upper edges of stripes, as shares of a side's height."""
    return {
        "none": (),
        "low": ((0.0, 0.26),),
        "twin": ((0.52, 0.64), (0.76, 0.88)),
        "doors": ((0.0, 1.0),),
    }[stripe]


def _paint_sticker(
    panels: Panels, vehicle: Vehicle, middle: Spot, side: float, radius: float
) -> None:
    colour = vehicle.trim if vehicle.stripe != "doors" else lighter(vehicle.paint)
    x, y = middle
    if vehicle.sticker == "disc":
        panels.disc(middle, side, radius, colour)
        panels.disc(middle, side, radius * 0.5, darker(colour))
    elif vehicle.sticker == "square":
        panels.on_side(_rectangle(x, y, radius, radius), side, colour)
    elif vehicle.sticker == "cross":
        panels.on_side(_rectangle(x, y, radius, radius * 0.34), side, colour)
        panels.on_side(_rectangle(x, y, radius * 0.34, radius), side, colour)
    elif vehicle.sticker == "chevron":
        tip = radius * 1.3
        arrow = [(x - tip, y - radius), (x, y - radius), (x + tip, y), (x, y + radius),
                 (x - tip, y + radius), (x, y)]  # fmt: skip
        panels.on_side(arrow, side, colour)


def _rectangle(x: float, y: float, wide: float, high: float) -> list[Spot]:
    return [(x - wide, y - high), (x - wide, y + high), (x + wide, y + high), (x + wide, y - high)]


def _paint_tyres(panels: Panels, shape: Shape, half: float) -> None:
    """Paint what is seen of the wheels from before or behind."""
    for axle in shape.axles:
        for end in (axle - shape.radius, axle + shape.radius):
            for side in (-1, 1):
                box = (side * half, side * (half - 0.24), 0.0, 2 * shape.radius)
                panels.on_end(end, box, TYRE)


def _paint_wheels(panels: Panels, vehicle: Vehicle, shape: Shape, side: float) -> None:
    radius = shape.radius
    rim: Colour = (70, 72, 78) if vehicle.wheels == "dark" else (186, 190, 196)
    for axle in shape.axles:
        panels.disc((axle, radius * 1.12), side, radius * 1.16, darker(darker(vehicle.paint)))
        panels.disc((axle, radius), side, radius, TYRE)
        panels.disc((axle, radius), side, radius * 0.62, rim)
        if vehicle.wheels == "spokes":
            for k in range(5):
                turn = 2 * math.pi * k / 5
                spot = (axle + radius * 0.36 * math.cos(turn), radius * (1 + 0.36 * math.sin(turn)))
                panels.disc(spot, side, radius * 0.16, TYRE)


def _paint_roof(panels: Panels, vehicle: Vehicle, shape: Shape) -> None:
    """Paint what stands on the roof: a box, a rack with a load, or a lit sign."""
    rear, front, up = shape.roof
    middle, length = (rear + front) / 2, front - rear
    half = shape.outlines[-1].half
    size = {
        "box": (0.42 * length, 0.34, half * 0.6),
        "rack": (0.46 * length, 0.1, half * 0.85),
        "sign": (0.16, 0.2, half * 0.5),
    }
    along, high, across = size[vehicle.roof]
    colour: Colour = (250, 222, 120) if vehicle.roof == "sign" else vehicle.trim
    spots = ((middle - along, up), (middle - along * 0.94, up + high),
             (middle + along * 0.9, up + high), (middle + along, up))  # fmt: skip
    outline = Outline(spots, ("cargo", "cargo", "cargo"), across)
    panels.solid(outline, {"cargo": colour}, colour)
