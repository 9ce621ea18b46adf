"""A whole figure: every part of a person painted in the order of its depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PIL import Image

from reid_plugins_synthetic.bags import bag_depth, paint_bag, paint_straps
from reid_plugins_synthetic.canvas import Canvas
from reid_plugins_synthetic.garments import (
    paint_arm,
    paint_leg,
    paint_skirt,
    paint_top,
)
from reid_plugins_synthetic.heads import paint_head
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.pose import Pose, arm_of, leg_of
from reid_plugins_synthetic.view import View

Layer = tuple[float, Callable[[], None]]


def paint_figure(
    person: Person, pose: Pose, view: View, size: tuple[int, int], lit_from: float
) -> Image.Image:
    """Paint a person in a pose, as seen in a view.

    Args:
        person: who is painted.
        pose: the moment of the step.
        view: the projection.
        size: width and height of the picture in pixels.
        lit_from: where the light comes from: -1 left of the picture to 1 right of it.

    Returns:
        The figure (RGBA); transparent where the person is not.
    """
    canvas = Canvas(size, view, lit_from)
    legs = [leg_of(person, pose, left) for left in (True, False)]
    for leg in sorted(legs, key=lambda leg: view.depth(leg.knee)):
        paint_leg(canvas, person, leg)
    for _, paint in sorted(_upper_layers(canvas, person, pose), key=lambda layer: layer[0]):
        paint()
    return canvas.finished()


def _upper_layers(canvas: Canvas, person: Person, pose: Pose) -> list[Layer]:
    """Return what is above the legs as (depth, how to paint it)."""
    depth = canvas.view.depth
    arms = {left: arm_of(person, pose, left) for left in (True, False)}
    layers: list[Layer] = [(0.0, partial(_paint_trunk, canvas, person, pose))]
    for arm in arms.values():
        layers.append((depth(arm.elbow), partial(paint_arm, canvas, person, arm)))
    if person.bag != "none":
        hand = arms[person.bag_left].hand
        near = bag_depth(canvas, person, hand)
        layers.append((near, partial(paint_bag, canvas, person, hand)))
    return layers


def _paint_trunk(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Paint skirt, top, straps and head, of which each covers the one before."""
    if person.legs == "skirt":
        paint_skirt(canvas, person, pose.stride)
    paint_top(canvas, person)
    paint_straps(canvas, person)
    paint_head(canvas, person)
