"""Galleries of one picture an identity, drawn at random and always alike."""

from __future__ import annotations

import random
from collections.abc import Sequence

DRAWS = 10
"""How often a gallery is drawn by the protocols that do so; the result is the mean."""


def draw_one_each(pids: Sequence[int], number: int, seed: int) -> list[int]:
    """Draw one row for each identity, in ascending order of the identities.

    Draw number n is the n-th of a row of draws from one stream of random numbers, so that it is the
    same wherever and whenever it is asked for.

    Args:
        pids: identity of each row.
        number: which draw, base 0.
        seed: where the stream begins.

    Returns:
        One row of each identity.
    """
    rows: dict[int, list[int]] = {}
    for row, pid in enumerate(pids):
        rows.setdefault(pid, []).append(row)
    stream = random.Random(seed)
    for _ in range(number + 1):
        drawn = [stream.choice(rows[pid]) for pid in sorted(rows)]
    return drawn
