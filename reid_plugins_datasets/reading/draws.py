"""Random draws that are the same everywhere, at any time, and need no file to remember them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from reidcore.data import seeded_order

Item = TypeVar("Item", int, str)


def drawn(items: Iterable[Item], title: str, number: int) -> list[Item]:
    """Return items in a random order that is fixed for a dataset and the number of a draw.

    Args:
        items: what is drawn from, such as people's numbers; their own order does not matter.
        title: the dataset.
        number: which draw, base 0.
    """
    return seeded_order(items, f"{title} {number}")


def halved(items: Iterable[Item], title: str, number: int) -> tuple[list[Item], list[Item]]:
    """Draw floor(n / 2) of n items; return them and the rest, each in ascending order."""
    order = drawn(items, title, number)
    half = len(order) // 2
    return sorted(order[:half]), sorted(order[half:])
