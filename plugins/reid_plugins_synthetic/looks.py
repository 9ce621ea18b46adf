"""What the drawn people look like, as attributes in columns of the tables.

The columns are named as those of Market-1501's attributes are: ``attribute_backpack``,
``attribute_upred``. They are what a person was drawn from, not what a picture shows: a bag may be
hidden behind its bearer.
"""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt

from reid_plugins_synthetic.album import Settings
from reid_plugins_synthetic.people import LEG_COLOURS, TOP_COLOURS, Person, draw_people
from reidcore.data import SampleTable, Splits

PREFIX = "attribute_"
UNKNOWN = -1
"""Value of distractors, who are no whole person."""

UPPER = ("black", "white", "red", "blue", "green", "yellow")
"""The colours of tops, in the order of the wardrobe's."""
LOWER = ("black", "denim", "beige", "grey", "maroon")
"""Those of trousers."""


def with_looks(splits: Splits, settings: Settings) -> Splits:
    """Give the splits of a synthetic dataset a column of 0 and 1 for each attribute.

    Args:
        splits: what was read.
        settings: what it was drawn from.
    """
    everyone = settings.train_ids + settings.test_ids
    crowd = draw_people(everyone + 1, Random(f"{settings.seed}/people"))
    looks = {pid: looks_of(crowd[pid]) for pid in range(1, everyone + 1)}
    return Splits(*(_described(SampleTable.of(split), looks) for split in splits))


def looks_of(person: Person) -> dict[str, bool]:
    """Return attribute -> whether a person has it."""
    return {
        "backpack": person.bag == "backpack",
        "handbag": person.bag == "handbag",
        "bag": person.bag == "satchel",
        "hat": person.hair in ("cap", "beanie"),
        "hair": person.hair in ("bob", "long", "tail"),
        "coat": person.top in ("coat", "jacket"),
        "patterned": person.pattern != "plain",
        "clothes": person.legs == "skirt",
        "down": person.legs in ("shorts", "skirt"),
        **{
            f"up{name}": person.top_colour == of
            for name, of in zip(UPPER, TOP_COLOURS, strict=True)
        },
        **{
            f"down{name}": person.leg_colour == of
            for name, of in zip(LOWER, LEG_COLOURS, strict=True)
        },
    }


def _described(table: SampleTable, looks: dict[int, dict[str, bool]]) -> SampleTable:
    names = next(iter(looks.values())).keys() if looks else ()
    columns: dict[str, npt.NDArray[np.int64]] = {
        PREFIX + name: np.array(
            [looks[pid][name] if pid in looks else UNKNOWN for pid in table.pids.tolist()],
            dtype=np.int64,
        )
        for name in names
    }
    return SampleTable.of(table, columns=columns)
