"""Which vehicles there are: bodies from a small catalogue, told apart by colour and by marks.

A colour alone identifies nothing: seven colours and seven bodies are shared by all. What tells two
vehicles apart is body, colour, stripe, sticker, roof, wheels and damage together.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from reid_plugins_synthetic.canvas import Colour

BODIES = ("hatchback", "saloon", "estate", "suv", "van", "pickup", "lorry")

PAINTS: tuple[Colour, ...] = (
    (226, 226, 222),  # white
    (48, 50, 56),  # black
    (146, 150, 156),  # silver
    (178, 38, 40),  # red
    (38, 78, 160),  # blue
    (46, 112, 78),  # green
    (222, 168, 48),  # yellow
)
TRIMS: tuple[Colour, ...] = ((240, 240, 236), (30, 32, 38), (226, 110, 36), (60, 150, 190))
ROOFS = ("bare", "bare", "bare", "box", "rack", "sign")
STRIPES = ("none", "none", "low", "twin", "doors")
STICKERS = ("none", "none", "disc", "square", "cross", "chevron")
WHEELS = ("steel", "dark", "spokes")


@dataclass(frozen=True)
class Vehicle:
    """What stays with a vehicle from camera to camera.

    Attributes:
        body: one of `BODIES`.
        paint: colour of the body.
        trim: colour of stripe, sticker and what stands on the roof.
        cargo: colour of a lorry's box.
        roof: what stands on the roof.
        stripe: where it has a stripe.
        sticker: what is stuck on its doors.
        place: where the sticker is, as a share of the body's length from the rear.
        wheels: style of the rims.
        tinted: whether the rear windows are dark.
        dents: places of rust and dents: side (-1 right, 1 left), share of length, share of height.
        plate: colour of the number plates.
    """

    body: str
    paint: Colour
    trim: Colour
    cargo: Colour
    roof: str
    stripe: str
    sticker: str
    place: float
    wheels: str
    tinted: bool
    dents: tuple[tuple[int, float, float], ...]
    plate: Colour


def draw_vehicle(random: Random) -> Vehicle:
    """Draw one vehicle from the catalogue."""
    pick = random.choice
    return Vehicle(
        body=pick(BODIES),
        paint=pick(PAINTS),
        trim=pick(TRIMS),
        cargo=pick(PAINTS),
        roof=pick(ROOFS),
        stripe=pick(STRIPES),
        sticker=pick(STICKERS),
        place=random.uniform(0.35, 0.62),
        wheels=pick(WHEELS),
        tinted=random.random() < 0.4,
        dents=tuple(
            (pick((-1, 1)), random.uniform(0.1, 0.9), random.uniform(0.2, 0.8))
            for _ in range(pick((0, 0, 1, 2)))
        ),
        plate=pick(((236, 232, 214), (238, 202, 70))),
    )


def draw_fleet(count: int, random: Random) -> list[Vehicle]:
    """Draw vehicles of whom any two differ in what several views show."""
    fleet: list[Vehicle] = []
    looks: set[tuple[object, ...]] = set()
    while len(fleet) < count:
        each = draw_vehicle(random)
        look = (each.body, each.paint, each.trim, each.roof, each.stripe, each.sticker)
        if look not in looks:
            looks.add(look)
            fleet.append(each)
    return fleet
