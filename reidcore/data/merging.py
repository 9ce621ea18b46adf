"""Several sources as one training set, and test images as training images."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from reidcore.data.dataset import Dataset, view_of
from reidcore.data.table import SampleTable

NUMBERED_APART = ("clothes",)
"""Columns that number things of one dataset, as identities do.

Other columns, such as attributes, mean the same in all datasets that have them.
"""


class MergedDataset(Dataset):
    """The training samples of several datasets, each still read by its own dataset.

    Args:
        parts: Training views whose samples are already numbered apart, see `merged`.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = tuple(parts)
        self._starts = list(accumulate((len(part) for part in parts[:-1]), initial=0))
        self.unit = parts[0].unit
        super().__init__(
            SampleTable.joined([SampleTable.of(part.train) for part in parts]),
            parts[0].query,
            parts[0].gallery,
            transform=parts[0].transform,
            k_tfm=parts[0].k_tfm,
            verbose=False,
        )

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = bisect_right(self._starts, index) - 1
        return self.parts[number][index - self._starts[number]]


def merged(datasets: Sequence[Dataset]) -> MergedDataset:
    """Merge training sets so that neither identities nor cameras of two sources meet.

    Args:
        datasets: Datasets, or merged ones, whose parts are then taken one by one.
    """
    parts = [part for dataset in datasets for part in getattr(dataset, "parts", [dataset])]
    tables = rebased([SampleTable.of(part.train) for part in parts])
    return MergedDataset(
        [
            view_of(part, "train", part.transform, part.k_tfm, data=table)
            for part, table in zip(parts, tables, strict=True)
        ]
    )


def rebased(tables: Sequence[SampleTable]) -> list[SampleTable]:
    """Number identities, cameras and datasets of several tables apart.

    The first keeps its cameras. Each further one begins its identities after the last class so far
    and its cameras after the highest one so far; ``dsetid`` becomes the index of the table. The
    columns in `NUMBERED_APART` go on after the highest number so far as cameras do; a negative
    number, of what is not known, stays.
    """
    apart: list[SampleTable] = []
    next_pid = next_camid = 0
    for dsetid, table in enumerate(tables):
        lowest = int(table.camids.min()) if dsetid and len(table) else next_camid
        moved = table.relabelled().shifted(next_pid, next_camid - lowest).of_dataset(dsetid)
        next_pid += table.counts.ids
        next_camid = max(next_camid, int(moved.camids.max(initial=-1)) + 1)
        apart.append(moved)
    for name in NUMBERED_APART:
        apart = _column_apart(apart, name)
    return apart


def _column_apart(tables: Sequence[SampleTable], name: str) -> list[SampleTable]:
    """Number what a column of whole numbers means apart, in the tables that have it."""
    apart = []
    following = 0
    for table in tables:
        numbers = table.columns.get(name)
        if numbers is not None and numbers.dtype.kind in "iu":
            moved = np.where(numbers < 0, numbers, numbers + following)
            following = max(following, int(moved.max(initial=-1)) + 1)
            table = replace(table, columns={**table.columns, name: moved})
        apart.append(table)
    return apart


def combined(
    train: SampleTable, query: SampleTable, gallery: SampleTable, junk_pids: Sequence[int]
) -> SampleTable:
    """Return training samples with those of query and gallery beside them.

    Test identities become new classes after the training ones. Junk is left out, and so is an
    image whose path came before.

    Args:
        train: Training samples, relabelled.
        query: Query samples; their identities are the gallery's.
        gallery: Gallery samples.
        junk_pids: Test identities that are no person; negative ones never are.
    """
    test = SampleTable.joined([query, gallery]).without(junk_pids)
    test = test.take(test.pids >= 0).relabelled().shifted(pids=train.counts.ids)
    return SampleTable.joined([train, test]).distinct().relabelled()
