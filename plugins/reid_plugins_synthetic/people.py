"""Who can be met: people put together from a small wardrobe.

A colour alone identifies nobody: there are six colours of tops and five of trousers for everyone,
so that several people share each pair. What tells two people apart is the combination of garment,
colour, pattern, bag, hair and build.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from random import Random

from reid_plugins_synthetic.canvas import Colour

TOP_COLOURS: tuple[Colour, ...] = (
    (36, 36, 42),  # black
    (232, 230, 224),  # white
    (196, 40, 44),  # red
    (40, 86, 176),  # blue
    (52, 132, 78),  # green
    (226, 178, 58),  # yellow
)
TRIMS: tuple[Colour, ...] = ((240, 238, 232), (28, 28, 34), (224, 126, 48))
LEG_COLOURS: tuple[Colour, ...] = (
    (34, 34, 40),  # black
    (62, 88, 140),  # denim
    (200, 180, 142),  # beige
    (138, 140, 146),  # grey
    (122, 58, 52),  # maroon
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
