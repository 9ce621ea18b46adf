"""Who can be met: people put together from a small wardrobe.

A colour alone identifies nobody: there are six colours of tops and five of trousers for everyone,
so that several people share each pair. What tells two people apart is the combination of garment,
colour, pattern, bag, hair and build.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from random import Random

from reid_plugins_datasets.synthetic.canvas import Colour

TOP_COLOURS: tuple[Colour, ...] = (
    (38, 38, 44),  # black
    (226, 224, 218),  # white
    (132, 134, 140),  # grey
    (176, 44, 46),  # red
    (46, 82, 156),  # blue
    (62, 120, 80),  # green
)
TRIMS: tuple[Colour, ...] = ((238, 236, 230), (30, 30, 36), (222, 178, 62))
LEG_COLOURS: tuple[Colour, ...] = (
    (36, 36, 42),  # black
    (58, 78, 118),  # denim
    (186, 166, 130),  # beige
    (110, 112, 116),  # grey
    (98, 66, 48),  # brown
)
BAG_COLOURS: tuple[Colour, ...] = ((44, 42, 46), (150, 52, 48), (158, 112, 66), (48, 84, 110))
HAIR_COLOURS: tuple[Colour, ...] = ((30, 26, 26), (92, 62, 42), (196, 160, 96), (150, 148, 146))
SKINS: tuple[Colour, ...] = ((236, 200, 176), (214, 164, 128), (158, 108, 78), (98, 66, 50))
SHOES: tuple[Colour, ...] = ((34, 32, 34), (228, 226, 222), (122, 82, 52))

TOPS = ("tee", "shirt", "jacket", "coat", "vest")
PATTERNS = ("plain", "plain", "hoops", "pinstripes", "checks", "print", "block")
LEGS = ("trousers", "trousers", "wide", "shorts", "skirt")
BAGS = ("none", "none", "backpack", "backpack", "handbag", "satchel")
HAIRS = ("short", "short", "bob", "long", "tail", "bald", "cap", "beanie")
GIRTHS = (0.88, 1.0, 1.16)
STATURES = (0.94, 1.0, 1.05)


@dataclass(frozen=True)
class Person:
    """What stays with a person from camera to camera."""

    top: str
    top_colour: Colour
    pattern: str
    trim: Colour
    legs: str
    leg_colour: Colour
    bag: str
    bag_colour: Colour
    bag_left: bool
    hair: str
    hair_colour: Colour
    hat_colour: Colour
    skin: Colour
    shoes: Colour
    girth: float
    stature: float


def draw_person(random: Random) -> Person:
    """Draw one person from the wardrobe."""
    pick = random.choice
    return Person(
        top=pick(TOPS),
        top_colour=pick(TOP_COLOURS),
        pattern=pick(PATTERNS),
        trim=pick(TRIMS),
        legs=pick(LEGS),
        leg_colour=pick(LEG_COLOURS),
        bag=pick(BAGS),
        bag_colour=pick(BAG_COLOURS),
        bag_left=random.random() < 0.5,
        hair=pick(HAIRS),
        hair_colour=pick(HAIR_COLOURS),
        hat_colour=pick(BAG_COLOURS),
        skin=pick(SKINS),
        shoes=pick(SHOES),
        girth=pick(GIRTHS),
        stature=pick(STATURES),
    )


def draw_people(count: int, random: Random) -> list[Person]:
    """Draw people of whom any two differ in the garments or colours that every view shows."""
    people: list[Person] = []
    looks: set[tuple[object, ...]] = set()
    while len(people) < count:
        person = draw_person(random)
        look = _look(person)
        if look not in looks:
            looks.add(look)
            people.append(person)
    return people


def _look(person: Person) -> tuple[object, ...]:
    """Return the visible part of a person that must be unique."""
    top, top_colour, pattern, _, legs, leg_colour, bag = astuple(person)[:7]
    return top, top_colour, pattern, legs, leg_colour, bag
