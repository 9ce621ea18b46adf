"""Samples as columns: counting, relabelling and merging are array code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from reidcore.data.sample import Sample, SamplePath, Samples
from reidcore.data.tables.paths import PathColumn, column_of
from reidcore.errors import DataError

Int64Array: TypeAlias = npt.NDArray[np.int64]


class Counts(NamedTuple):
    """How much a table holds.

    Attributes:
        ids: Number of identities.
        images: Number of images (or tracklets).
        cameras: Number of cameras.
    """

    ids: int
    images: int
    cameras: int


@dataclass(frozen=True, eq=False)
class SampleTable(Sequence[Sample]):
    """An immutable sequence of N samples, stored as columns.

    Indexing with an integer gives a `Sample`, with a slice a table.

    Attributes:
        paths: (N,) paths, a sequence that holds them as arrays.
        pids: (N,) identities, int64.
        camids: (N,) cameras, int64.
        dsetids: (N,) indices of the source datasets, int64.
        columns: Further columns of length N that some datasets have, such as ``clothes``.
    """

    paths: PathColumn
    pids: Int64Array
    camids: Int64Array
    dsetids: Int64Array
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", column_of(self.paths))
        lengths = {len(self.paths), len(self.pids), len(self.camids), len(self.dsetids)}
        lengths.update(len(column) for column in self.columns.values())
        if len(lengths) > 1:
            raise DataError(f"the columns of a table differ in length: {sorted(lengths)}")

    @classmethod
    def of(
        cls,
        items: Samples,
        where: str = "the samples",
        columns: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> SampleTable:
        """Make a table from samples or Torchreid's tuples; a table is returned as it is.

        Args:
            items: `Sample`, ``(path, pid, camid)`` or ``(path, pid, camid, dsetid)`` each.
            where: What they are, for messages: ``"'train' of market1501"``.
            columns: Further columns, each as long as ``items``.

        Raises:
            DataError: An item has another form; the message names the first one.
        """
        if isinstance(items, SampleTable):
            return replace(items, columns={**items.columns, **columns}) if columns else items
        rows: Any = items if isinstance(items, list | tuple) else list(items)
        for number, row in enumerate(rows):
            if not isinstance(row, tuple | list) or len(row) not in (3, 4):
                raise DataError(
                    f"item {number} of {where} is {row!r}",
                    "Each must be (path, pid, camid) or (path, pid, camid, dsetid)",
                )
        return cls(
            PathColumn.of(_checked_paths([row[0] for row in rows], where)),
            _int_column([row[1] for row in rows], "pid", where),
            _int_column([row[2] for row in rows], "camid", where),
            _int_column([row[3] if len(row) == 4 else 0 for row in rows], "dsetid", where),
            dict(columns or {}),
        )

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> SampleTable: ...
    def __getitem__(self, index: int | slice) -> Sample | SampleTable:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return Sample(
            self.paths[index],
            int(self.pids[index]),
            int(self.camids[index]),
            int(self.dsetids[index]),
        )

    def __iter__(self) -> Iterator[Sample]:
        labels = zip(self.pids.tolist(), self.camids.tolist(), self.dsetids.tolist(), strict=True)
        for path, (pid, camid, dsetid) in zip(self.paths, labels, strict=True):
            yield Sample(path, pid, camid, dsetid)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | Int64Array) -> SampleTable:
        """Return the table of some rows, given by indices or by an (N,) mask."""
        indices: Any = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return SampleTable(
            self.paths.take(indices),
            self.pids[indices],
            self.camids[indices],
            self.dsetids[indices],
            {name: column[indices] for name, column in self.columns.items()},
        )

    def shifted(self, pids: int = 0, camids: int = 0) -> SampleTable:
        """Return the table with constants added to its labels."""
        return replace(self, pids=self.pids + pids, camids=self.camids + camids)

    def of_dataset(self, dsetid: int) -> SampleTable:
        """Return the table with all its samples said to be of one source dataset."""
        return replace(self, dsetids=np.full(len(self), dsetid, dtype=np.int64))

    def relabelled(self) -> SampleTable:
        """Return the table with its C identities numbered 0..C-1 in ascending order."""
        _, labels = np.unique(self.pids, return_inverse=True)
        return replace(self, pids=labels.reshape(-1).astype(np.int64, copy=False))

    def without(self, pids: Sequence[int]) -> SampleTable:
        """Return the table without the rows of these identities."""
        if not len(pids):
            return self
        junk = np.isin(self.pids, np.asarray(pids, dtype=np.int64))
        return self.take(~junk) if junk.any() else self

    def distinct(self) -> SampleTable:
        """Return the table without the later rows of a path that came before."""
        rows = self.paths.first_repeats()
        return self if rows is None else self.take(rows)

    @staticmethod
    def joined(tables: Sequence[SampleTable]) -> SampleTable:
        """Put tables one below the other; further columns stay where every table has them."""
        if not tables:
            return SampleTable.of([])
        shared = set.intersection(*(set(table.columns) for table in tables))
        return SampleTable(
            PathColumn.joined([table.paths for table in tables]),
            np.concatenate([table.pids for table in tables]),
            np.concatenate([table.camids for table in tables]),
            np.concatenate([table.dsetids for table in tables]),
            {
                name: np.concatenate([table.columns[name] for table in tables])
                for name in sorted(shared)
            },
        )

    @cached_property
    def counts(self) -> Counts:
        """How many identities, images and cameras there are."""
        return Counts(len(np.unique(self.pids)), len(self), len(np.unique(self.camids)))

    def fingerprint(self) -> str:
        """Return a SHA-256 (hexadecimal) of what the table says, wherever the files lie.

        It covers the order, the labels, and the paths below the folder common to all of them: not
        the contents of the files.
        """
        digest = hashlib.sha256()
        for lines in self.paths.lines():
            digest.update(lines)
        digest.update(self.pids.astype("<i8").tobytes())
        digest.update(self.camids.astype("<i8").tobytes())
        return digest.hexdigest()


def _checked_paths(paths: list[object], where: str) -> list[SamplePath]:
    if set(map(type, paths)) <= {str}:
        return cast("list[SamplePath]", paths)
    return [_as_path(path, number, where) for number, path in enumerate(paths)]


def _as_path(path: object, number: int, where: str) -> SamplePath:
    if isinstance(path, str | os.PathLike):
        return str(os.fspath(path))
    frames = path if isinstance(path, tuple | list) else ()
    if frames and all(isinstance(frame, str | os.PathLike) for frame in frames):
        return tuple(str(os.fspath(frame)) for frame in frames)
    raise DataError(
        f"item {number} of {where} has the path {path!r}",
        "It must be a path or, for a tracklet, a tuple of one or more paths",
    )


def _int_column(values: Sequence[object], name: str, where: str) -> Int64Array:
    if not set(map(type, values)) <= {int, np.int64}:
        for number, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise DataError(
                    f"item {number} of {where} has {name}={value!r}", "It must be a whole number"
                )
    return np.array(values, dtype=np.int64)
