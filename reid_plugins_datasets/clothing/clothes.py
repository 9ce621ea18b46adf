"""Who wears what: datasets in which people change keep it as the column ``clothes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from reidcore.data import Sample, SampleTable, Splits

COLUMN = "clothes"


class Dressed(NamedTuple):
    """A sample and the outfit worn in it, which is a number of that person's."""

    sample: Sample
    outfit: int


def splits_with_clothes(
    train: Sequence[Dressed], query: Sequence[Dressed], gallery: Sequence[Dressed]
) -> Splits:
    """Return splits with the column ``clothes``: one number for each outfit of each person.

    Training outfits are 0..N-1 in the order of persons and outfits; those of query and gallery go
    on from N, so that a number means the same clothes in all three.
    """
    learnt = with_clothes(train)
    test = with_clothes([*query, *gallery], start=int(learnt.columns[COLUMN].max(initial=-1)) + 1)
    return Splits(learnt, test[: len(query)], test[len(query) :])


def with_clothes(dressed: Sequence[Dressed], start: int = 0) -> SampleTable:
    """Return a table with the column ``clothes``, numbered from ``start``."""
    keys = np.array([(item.sample.pid, item.outfit) for item in dressed], dtype=np.int64)
    _, clothes = np.unique(keys.reshape(-1, 2), axis=0, return_inverse=True)
    numbers = clothes.reshape(-1).astype(np.int64) + start
    return SampleTable.of([item.sample for item in dressed], columns={COLUMN: numbers})
