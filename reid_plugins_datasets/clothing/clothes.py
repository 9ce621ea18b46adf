"""Who wears what: datasets in which people change keep it as the column ``clothes``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reidcore.data import SampleTable, Splits

COLUMN = "clothes"


def splits_with_clothes(train: SampleTable, query: SampleTable, gallery: SampleTable) -> Splits:
    """Return splits in which each outfit of each person has a number of its own.

    The column `COLUMN` of the given tables tells the outfits of one person apart, by whole numbers
    or texts. Training outfits become 0..N-1 in the order of persons and outfits; those of query
    and gallery go on from N, so that a number means the same clothes in all three.
    """
    (learnt,) = numbered_outfits([train])
    first = int(learnt.columns[COLUMN].max(initial=-1)) + 1
    asked, searched = numbered_outfits([query, gallery], first)
    return Splits(learnt, asked, searched)


def numbered_outfits(tables: Sequence[SampleTable], start: int = 0) -> list[SampleTable]:
    """Return tables whose outfits are numbered together, from ``start``."""
    pids = np.concatenate([table.pids for table in tables])
    texts = np.concatenate([table.columns[COLUMN] for table in tables])
    _, outfits = np.unique(texts, return_inverse=True)
    keys = np.stack([pids, outfits.reshape(-1)], axis=1)  # (N, 2)
    _, clothes = np.unique(keys, axis=0, return_inverse=True)
    numbers = clothes.reshape(-1).astype(np.int64) + start
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return [
        replace(table, columns={**table.columns, COLUMN: own})
        for table, own in zip(tables, np.split(numbers, ends), strict=True)
    ]
