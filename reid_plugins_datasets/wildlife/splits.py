"""Ways to split pictures of animals into a database to learn from, and pictures to search for.

The rules, and the generator, are those of Cermak et al., WildlifeDatasets, WACV 2024 (its package
wildlife-datasets, whose default seed is 666 too), so that closed, disjoint-in-time and cut-off
splits hold the same pictures. Where identities have equally many pictures, open and disjoint
splits take them in the order of their names, which that package leaves to its libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.data import Int64Array

Mask: TypeAlias = npt.NDArray[np.bool_]

_MULTIPLIER, _INCREMENT, _MODULUS = 1_103_515_245, 12_345, 1 << 31


class Parts(NamedTuple):
    """Which of N pictures are learnt from, and which are searched for; some may be neither.

    Attributes:
        train: (N,) mask.
        test: (N,) mask.
    """

    train: Mask
    test: Mask


class Lcg:
    """The linear congruential generator of C's ``rand``: the same numbers everywhere, for ever.

    ``state <- (1103515245 state + 12345) mod 2^31``; each new state is a random number.

    Args:
        seed: the first state, which is not given out.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed

    def draw(self) -> int:
        """Return the next number, 0 to 2^31 - 1."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) % _MODULUS
        return self._state

    def permutation(self, count: int) -> Int64Array:
        """Return 0..count-1 in the order of as many numbers."""
        drawn = np.array([self.draw() for _ in range(count)], dtype=np.int64)
        return np.argsort(drawn, kind="stable")


def closed_set(pids: Int64Array, share: float, seed: int) -> Parts:
    """Split the pictures of each animal; one that has a single picture is learnt from.

    Args:
        pids: (N,) identities.
        share: of each animal's pictures that are learnt from; at least one is, and at least one of
            several is not.
        seed: another number draws other pictures.
    """
    return _split_each(pids, share, np.zeros(len(pids), np.bool_), seed)


def open_set(pids: Int64Array, share: float, new: float, seed: int) -> Parts:
    """Split as `closed_set`, but search for all pictures of some animals, which are new.

    Args:
        pids: (N,) identities.
        share: of all pictures that are learnt from.
        new: share of all pictures that animals are drawn for until they have it.
        seed: another number draws others.
    """
    only_test = _drawn_animals(pids, new, seed)
    rest = len(pids) - int(only_test.sum())
    left = np.clip(len(pids) * share / rest, 0, 1) if rest else 0.0
    return _split_each(pids, float(left), only_test, seed)


def disjoint_set(pids: Int64Array, new: float, seed: int) -> Parts:
    """Search for animals that are not learnt from; arguments as of `open_set`."""
    test = _drawn_animals(pids, new, seed)
    return Parts(~test, test)


def time_proportion(pids: Int64Array, days: Int64Array, share: float) -> Parts:
    """Learn from the first days on which an animal was seen, and search for it on the later ones.

    An animal that was seen on one day is learnt from.

    Args:
        pids: (N,) identities.
        days: (N,) numbers that grow with time, equal on one day.
        share: of each animal's days that are learnt from; the last of several never is. One so
            small that it comes to no day leaves the animal to the test alone.
    """
    train = np.zeros(len(pids), np.bool_)
    for rows in _rows_of_each(pids):
        known, day = np.unique(days[rows], return_inverse=True)
        first = min(len(known) - 1, round(share * len(known))) if len(known) > 1 else 1
        train[rows] = day.reshape(-1) < first
    return Parts(train, ~train)


def time_cutoff(years: Int64Array, year: int) -> Parts:
    """Learn from all pictures of earlier years, and search for those of one; later ones are left.

    Args:
        years: (N,) year of each picture.
        year: the one.
    """
    return Parts(years < year, years == year)


def _split_each(pids: Int64Array, share: float, only_test: Mask, seed: int) -> Parts:
    generator = Lcg(seed)
    train = np.zeros(len(pids), np.bool_)
    for rows in _rows_of_each(pids):
        if only_test[rows[0]]:
            continue
        count = round(share * len(rows))
        count = max(1, min(count, len(rows) - 1))
        train[rows[generator.permutation(len(rows))[:count]]] = True
    return Parts(train, ~train)


def _drawn_animals(pids: Int64Array, share: float, seed: int) -> Mask:
    """Draw animals, those with most pictures first in the order that is permuted."""
    animals, counts = np.unique(pids, return_counts=True)
    order = np.argsort(-counts, kind="stable")[Lcg(seed).permutation(len(animals))]
    reached = np.cumsum(counts[order]) >= round(share * len(pids))
    return np.isin(pids, animals[order[: int(np.argmax(reached)) + 1]])


def _rows_of_each(pids: Int64Array) -> Iterator[Int64Array]:
    """Yield the rows of each identity, ascending, in the order of identities."""
    order = np.argsort(pids, kind="stable")
    _, starts = np.unique(pids[order], return_index=True)
    yield from np.split(order, starts[1:])
