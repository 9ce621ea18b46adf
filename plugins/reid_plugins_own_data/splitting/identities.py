"""Which identities are learnt from, which are for validation, and which are tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_plugins_own_data.splitting.searches import Reach
from reidcore.data import seeded_order
from reidcore.errors import DataError, quoted


@dataclass(frozen=True)
class Shares:
    """How the identities are shared out; the rest is tested on.

    Args:
        train: share to learn from, 0 to 1.
        validation: share for validation, 0 to 1.

    Raises:
        DataError: a share is none, or nobody is left to test on.
    """

    train: float = 0.6
    validation: float = 0.15

    def __post_init__(self) -> None:
        for name in ("train", "validation"):
            if not 0 <= getattr(self, name) <= 1:
                told = f"the share for {name} is {quoted(getattr(self, name))}"
                raise DataError(told, "Give a number from 0 to 1")
        if self.test <= 1e-9:
            raise DataError(
                f"the shares {self.train:g} to learn from and {self.validation:g} for validation "
                "leave nobody to test on",
                "Let their sum be less than 1",
            )

    @property
    def test(self) -> float:
        """Share to test on."""
        return 1 - self.train - self.validation


@dataclass(frozen=True)
class Drawn:
    """The names of the identities of each part, in the order in which they were drawn."""

    train: list[str]
    validation: list[str]
    test: list[str]

    def of(self, part: str) -> list[str]:
        """Return those of ``train``, ``validation`` or ``test``."""
        found: list[str] = getattr(self, part)
        return found


PARTS = ("train", "validation", "test")


def wanted(count: int, shares: Shares) -> tuple[int, int]:
    """Return how many of some identities are for validation and for the test.

    At least one is for each that has a share.
    """
    test = max(1, round(shares.test * count))
    validation = max(1, round(shares.validation * count)) if shares.validation else 0
    return validation, test


def draw_identities(reaches: Mapping[str, Reach], shares: Shares, usual: Reach, seed: str) -> Drawn:
    """Draw who is tested on and who is for validation; all others are learnt from.

    Drawn are those that can be searched for, those with images far enough apart before the others.
    Where there are fewer than wanted, test and validation share them out.

    Args:
        reaches: identity -> how far apart two of its images can be.
        shares: how they are shared out.
        usual: how far apart they should be.
        seed: another text draws others.
    """
    far = [pid for pid, reach in reaches.items() if reach <= usual]
    near = [pid for pid, reach in reaches.items() if usual < reach < Reach.NONE]
    if usual is Reach.CAMERAS:
        near = []  # whose matches the protocol ignores
    able = [*seeded_order(far, seed), *seeded_order(near, seed)]
    for_validation, for_test = wanted(len(reaches), shares)
    if len(able) < for_validation + for_test:
        for_test = round(len(able) * for_test / (for_validation + for_test))
        for_test = min(len(able), max(1, for_test))
        for_validation = len(able) - for_test if for_validation else 0
    test, validation = able[:for_test], able[for_test : for_test + for_validation]
    taken = {*test, *validation}
    return Drawn([pid for pid in reaches if pid not in taken], validation, test)


def joined(drawn: Sequence[Drawn]) -> Drawn:
    """Return what was drawn of several classes, together."""
    return Drawn(*([pid for each in drawn for pid in each.of(part)] for part in PARTS))
