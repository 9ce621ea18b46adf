"""What is checked: three tables, and every file that they name, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from reidcore.data import (
    VIEWER,
    Difference,
    ImageReading,
    Int64Array,
    LeftOut,
    SampleTable,
    Splits,
)

if TYPE_CHECKING:
    from reid_plugins_datasets.own.layouts import Layout

TRAIN, QUERY, GALLERY = range(3)


@dataclass(frozen=True, eq=False)
class CheckedDataset:
    """A dataset to check: its splits, and what is known of their labels.

    Attributes:
        name: what to call it.
        train: samples to learn from, with identities as the dataset gives them.
        query: samples to search for.
        gallery: samples to search in.
        unit: ``images`` or ``tracklets``.
        pids_apart: whether a number in train and test may be two identities.
        labelled: whether identities and cameras are known at all.
        reading: how its images are read.
        differences: how it differs from what its authors published.
        left_out: what lies there and is not used, counted by kind.
        read_as: the layout that was recognised by its names, if it is none of the usual ones.
    """

    name: str
    train: SampleTable
    query: SampleTable
    gallery: SampleTable
    unit: str = "images"
    pids_apart: bool = False
    labelled: bool = True
    reading: ImageReading = VIEWER
    differences: Sequence[Difference] = field(default_factory=list)
    left_out: Sequence[LeftOut] = ()
    read_as: Layout | None = None

    @property
    def splits(self) -> dict[str, SampleTable]:
        """The tables by their names, without empty ones."""
        tables = zip(Splits._fields, (self.train, self.query, self.gallery), strict=True)
        return {name: table for name, table in tables if len(table)}

    @property
    def counts(self) -> dict[str, dict[str, int | None]]:
        """Split -> ``ids``, ``images`` and ``cameras``; None for what is not known."""
        unknown = {} if self.labelled else {"ids": None, "cameras": None}
        return {name: table.counts._asdict() | unknown for name, table in self.splits.items()}

    @cached_property
    def files(self) -> Files:
        """Every file once, and where the splits use it."""
        return _files_of((self.train, self.query, self.gallery))


class Files(NamedTuple):
    """M files, and the N places in the splits where they are used.

    Attributes:
        paths: M paths.
        file: (N,) which file is used.
        split: (N,) in which split: `TRAIN`, `QUERY` or `GALLERY`.
        pid: (N,) as whose image.
        camid: (N,) as seen by which camera.
    """

    paths: list[str]
    file: Int64Array
    split: npt.NDArray[np.int8]
    pid: Int64Array
    camid: Int64Array


def _files_of(tables: Sequence[SampleTable]) -> Files:
    numbers: dict[str, int] = {}
    file = np.fromiter(
        (
            numbers.setdefault(path, len(numbers))
            for table in tables
            for path in table.paths.files()
        ),
        dtype=np.int64,
    )
    sizes = [table.paths.sizes() for table in tables]
    split = np.repeat(np.arange(len(tables)), [int(size.sum()) for size in sizes])
    pids = [np.repeat(table.pids, size) for table, size in zip(tables, sizes, strict=True)]
    camids = [np.repeat(table.camids, size) for table, size in zip(tables, sizes, strict=True)]
    return Files(
        list(numbers), file, split.astype(np.int8), np.concatenate(pids), np.concatenate(camids)
    )
