"""One pass over all distances, which several listeners share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reidcore.evaluation import Distances, Related, Relations

Block = npt.NDArray[np.floating[Any]]


class Listener(Protocol):
    """What is told of each block of distances."""

    def add(self, start: int, block: Block, related: Related) -> None:
        """Take in a block (r, G) of the queries from ``start`` on, which it must not change."""
        ...


def listen(distances: Distances, relations: Relations, listeners: Sequence[Listener]) -> None:
    """Tell listeners of all distances, a block of rows at a time."""
    for start, block in distances.blocks():
        related = relations.rows(start, start + len(block))
        for listener in listeners:
            listener.add(start, block, related)
