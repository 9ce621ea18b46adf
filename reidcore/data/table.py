"""Samples as columns: counting, relabelling and merging are array code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from reidcore._validation import kind_of
from reidcore.data.file_ids import file_ids
from reidcore.data.label_names import NUMBERS, LabelNames
from reidcore.data.left_out import leave_out
from reidcore.data.sample import JUNK_PID, Sample, SamplePath, Samples
from reidcore.errors import DataError, quoted

Int64Array: TypeAlias = npt.NDArray[np.int64]
"""An array of integers of 64 bits."""

Names: TypeAlias = npt.NDArray[np.bytes_]
Rows: TypeAlias = npt.NDArray[np.integer] | npt.NDArray[np.bool_]

NUMBERED_APART = ("clothes",)
"""Columns that number things of one dataset, as identities do.

Other columns, such as attributes, mean the same in all datasets that have them.
"""

_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
_CHUNK = 1 << 15  # names converted at a time, which bounds the memory of Python objects
_ENCODING, _ERRORS = "utf-8", "surrogateescape"  # bytes that are no text survive, as in os.fsencode


class SampleError(DataError):
    """What somebody gives as samples is something else."""


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
class PathColumn(Sequence[SamplePath]):
    """N paths of images, or of tracklets with their frames, in M files: stored as one array.

    A million Python strings are a million objects, of which every worker process comes to hold a
    copy as it touches their reference counts. An array is shared.

    Attributes:
        folder: What all paths begin with, up to a separator; empty if they share no folder.
        names: (M,) the rest of each file's path, bytes, frame after frame and row after row.
        counts: (N,) number of frames of each tracklet, 0 for a single image; None if all rows are
            images.
    """

    folder: str
    names: Names
    counts: npt.NDArray[np.int32] | None = None

    @classmethod
    def of(cls, paths: Sequence[SamplePath], folder: str = "") -> PathColumn:
        """Make a column of well-formed paths, below a folder if one is given.

        Raises:
            DataError: A path cannot be a file name.
        """
        counts = None
        if not set(map(type, paths)) <= {str}:
            lengths = [0 if isinstance(path, str) else len(path) for path in paths]
            counts = np.array(lengths, dtype=np.int32)
            paths = [name for path in paths for name in _files_of(path)]
        files = cast("Sequence[str]", paths)
        shared = _shared_folder([min(files), max(files)]) if files else ""
        names = [file[len(shared) :] for file in files] if shared else files
        if folder and not folder.endswith(_SEPARATORS):
            folder += os.sep
        return cls(folder + shared, _encoded(names), counts)

    def __len__(self) -> int:
        return len(self.names if self.counts is None else self.counts)

    @overload
    def __getitem__(self, index: int) -> SamplePath: ...
    @overload
    def __getitem__(self, index: slice) -> PathColumn: ...
    def __getitem__(self, index: int | slice) -> SamplePath | PathColumn:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        if self.counts is None:
            return self.folder + _decoded(self.names[index])
        row = range(len(self))[index]
        names = self.names[self._starts[row] : self._starts[row + 1]]
        files = tuple(self.folder + _decoded(name) for name in names)
        return files if self.counts[row] else files[0]

    def __iter__(self) -> Iterator[SamplePath]:
        files = self.files()
        if self.counts is None:
            return files
        return (
            tuple(islice(files, count)) if count else next(files) for count in self.counts.tolist()
        )

    def files(self) -> Iterator[str]:
        """Yield the path of every file, row by row and frame by frame."""
        for begin in range(0, len(self.names), _CHUNK):
            chunk = self.names[begin : begin + _CHUNK].tolist()
            for name in _decoded(b"\0".join(chunk)).split("\0"):
                yield self.folder + name

    @property
    def num_files(self) -> int:
        """Number M of files in all rows."""
        return len(self.names)

    @property
    def tracklets(self) -> npt.NDArray[np.bool_]:
        """(N,) which rows are tracklets."""
        return np.zeros(len(self), np.bool_) if self.counts is None else self.counts > 0

    @property
    def has_tracklets(self) -> bool:
        """Whether any row is a tracklet."""
        return bool(self.tracklets.any())

    def sizes(self) -> npt.NDArray[np.int32]:
        """Return how many files each row has, (N,)."""
        return np.ones(len(self), np.int32) if self.counts is None else np.maximum(self.counts, 1)

    def take(self, rows: Rows) -> PathColumn:
        """Return the column of some rows, given by indices or by an (N,) mask."""
        if self.counts is None:
            return replace(self, names=self.names[rows])
        sizes = self.sizes()[rows].astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        # The files of a row follow one another, here as there: shift each by how far its row moved.
        shifts = np.repeat(self._starts[:-1][rows] - starts, sizes)  # (M',)
        names = self.names[shifts + np.arange(len(shifts))]
        return replace(self, names=names, counts=self.counts[rows])

    def lines(self) -> Iterator[bytes]:
        """Yield one line a row that tells its path apart wherever the dataset lies.

        That is the path below the folder common to all files; frames are parted by zero bytes.
        """
        ends = [_decoded(end(chunk)) for chunk in self._chunks() for end in (min, max)]
        below = len(_shared_folder(ends).encode(_ENCODING, _ERRORS))
        names = (name[below:] for chunk in self._chunks() for name in chunk)
        for size in self.sizes().tolist():
            line = b"\0".join(islice(names, size)) + b"\n"
            yield line if os.sep == "/" else line.replace(os.sep.encode(), b"/")

    @cached_property
    def file_ids(self) -> Int64Array:
        """(N,) which file on disk each row is, equal for the same one; looked up once."""
        return file_ids(self.files(), self.sizes())

    @staticmethod
    def joined(columns: Sequence[PathColumn]) -> PathColumn:
        """Put columns one below the other."""
        filled = [column for column in columns if len(column)]
        if len(filled) < 2:
            return filled[0] if filled else PathColumn.of([])
        folder = _shared_folder([column.folder for column in filled])
        names = [_prefixed(column.names, column.folder[len(folder) :]) for column in filled]
        counts = None
        if any(column.counts is not None for column in filled):
            images = [np.zeros(len(column), np.int32) for column in filled]
            pairs = zip(filled, images, strict=True)
            counts = np.concatenate([none if c.counts is None else c.counts for c, none in pairs])
        return PathColumn(folder, np.concatenate(names), counts)

    @cached_property
    def _starts(self) -> Int64Array:
        """(N + 1,) index of each row's first file, then M."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.sizes(), dtype=np.int64)])

    def _chunks(self) -> Iterator[list[bytes]]:
        for begin in range(0, len(self.names), _CHUNK):
            yield self.names[begin : begin + _CHUNK].tolist()


@dataclass(frozen=True, eq=False)
class SampleTable(Sequence[Sample]):
    """An immutable sequence of N samples, stored as columns.

    Indexing with an integer gives a `Sample`, with a slice a table.

    Attributes:
        paths: (N,) paths of images, or tuples of a tracklet's frames.
        pids: (N,) identities, int64.
        camids: (N,) cameras, int64.
        dsetids: (N,) indices of the source datasets, int64.
        columns: Further columns of length N that some datasets have, such as ``clothes``.
        names: What identities and cameras are called.
    """

    paths: PathColumn
    pids: Int64Array
    camids: Int64Array
    dsetids: Int64Array
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    names: LabelNames = NUMBERS

    def __post_init__(self) -> None:
        if not isinstance(self.paths, PathColumn):
            object.__setattr__(self, "paths", PathColumn.of(list(self.paths)))
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
            SampleError: An item has another form; the message names the first one.
        """
        if isinstance(items, SampleTable):
            return replace(items, columns={**items.columns, **columns}) if columns else items
        if not isinstance(items, Iterable):
            raise SampleError(f"{where} is {kind_of(items)}", "It must be a list of samples")
        rows: Any = items if isinstance(items, list | tuple) else list(items)
        for number, row in enumerate(rows):
            if not isinstance(row, tuple | list) or len(row) not in (3, 4):
                raise SampleError(
                    f"item {number} of {where} is {quoted(row)}",
                    "Each must be (path, pid, camid) or (path, pid, camid, dsetid)",
                )
        return cls(
            PathColumn.of(_checked_paths([row[0] for row in rows], where)),
            _int_column([row[1] for row in rows], "pid", where),
            _int_column([row[2] for row in rows], "camid", where),
            _int_column([row[3] if len(row) == 4 else 0 for row in rows], "dsetid", where),
            dict(columns or {}),
        )

    @classmethod
    def below(
        cls,
        folder: str | os.PathLike[str],
        names: Sequence[str],
        pids: Int64Array,
        camids: Int64Array,
        columns: Mapping[str, npt.NDArray[Any]] | None = None,
        label_names: LabelNames = NUMBERS,
    ) -> SampleTable:
        """Make a table of images from their paths below a folder and their labels.

        Args:
            folder: Where they lie; empty if the paths need no folder.
            names: (N,) paths below it.
            pids: (N,) identities.
            camids: (N,) cameras.
            columns: Further columns of length N.
            label_names: What identities and cameras are called.

        Raises:
            DataError: A path cannot be a file name, or the lengths differ.
        """
        paths = PathColumn.of(names, os.fspath(folder))
        return cls(paths, pids, camids, np.zeros_like(pids), dict(columns or {}), label_names)

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

    def __add__(self, others: Iterable[Sample]) -> list[Sample]:
        """Return the samples of both, as Torchreid's lists are added."""
        return [*self, *others]

    def __radd__(self, others: Iterable[Sample]) -> list[Sample]:
        return [*others, *self]

    def take(self, rows: Rows) -> SampleTable:
        """Return the table of some rows, given by indices or by an (N,) mask."""
        indices: Any = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return SampleTable(
            self.paths.take(indices),
            self.pids[indices],
            self.camids[indices],
            self.dsetids[indices],
            {name: column[indices] for name, column in self.columns.items()},
            self.names,
        )

    def shifted(self, pids: int = 0, camids: int = 0) -> SampleTable:
        """Return the table with constants added to its labels."""
        names = self.names.shifted(pids, camids)
        return replace(self, pids=self.pids + pids, camids=self.camids + camids, names=names)

    def of_dataset(self, dsetid: int) -> SampleTable:
        """Return the table with all its samples said to be of one source dataset."""
        return replace(self, dsetids=np.full(len(self), dsetid, dtype=np.int64))

    def relabelled(self) -> SampleTable:
        """Return the table with its C identities numbered 0..C-1 in ascending order."""
        pids, labels = np.unique(self.pids, return_inverse=True)
        numbered = labels.reshape(-1).astype(np.int64, copy=False)
        return replace(self, pids=numbered, names=self.names.relabelled(pids))

    def without(self, pids: Sequence[int]) -> SampleTable:
        """Return the table without the rows of these identities, which `leave_out` tells of."""
        if not len(pids):
            return self
        junk = np.isin(self.pids, np.asarray(pids, dtype=np.int64))
        leave_out(self.paths.take(junk), "images", "of no person to learn from", expected=True)
        return self.take(~junk) if junk.any() else self

    def identified(self, where: str) -> SampleTable:
        """Return the table without rows of negative identities, which `leave_out` tells of."""
        known = self.pids >= 0
        if known.all():
            return self
        nobody = self.take(~known)
        junk = bool((nobody.pids == JUNK_PID).all())
        leave_out(nobody.paths, "images of negative identities", where, expected=junk)
        return self.take(known)

    def distinct(self) -> SampleTable:
        """Return the table without the later rows of a path that came before."""
        firsts: dict[SamplePath, int] = {}
        for row, path in enumerate(self.paths):
            firsts.setdefault(path, row)
        if len(firsts) == len(self):
            return self
        kept = np.array(list(firsts.values()))
        twice = np.setdiff1d(np.arange(len(self)), kept)
        leave_out(self.paths.take(twice), "images", "their paths came before", expected=True)
        return self.take(kept)

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
            LabelNames.joined([table.names for table in tables]),
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
        digest = hashlib.sha256(b"".join(self.paths.lines()))
        digest.update(self.pids.astype("<i8").tobytes())
        digest.update(self.camids.astype("<i8").tobytes())
        return digest.hexdigest()


def rebased(tables: Sequence[SampleTable]) -> list[SampleTable]:
    """Number identities, cameras and datasets of several tables apart.

    The first keeps its cameras. Each further one begins its identities after the last class so far
    and its cameras after the highest one so far; ``dsetid`` becomes the index of the table. The
    columns in `NUMBERED_APART` go on after the highest number so far as cameras do; a negative
    number, of what is not known, stays. Where a table has names, all tables get them: each label is
    called what its own table called it.
    """
    apart: list[SampleTable] = []
    next_pid = next_camid = 0
    tables = _all_named(_all_named(tables, "pids"), "camids")
    for dsetid, table in enumerate(tables):
        lowest = int(table.camids.min()) if dsetid and len(table) else next_camid
        moved = table.relabelled().shifted(next_pid, next_camid - lowest).of_dataset(dsetid)
        next_pid += table.counts.ids
        next_camid = max(next_camid, int(moved.camids.max(initial=-1)) + 1)
        apart.append(moved)
    for name in NUMBERED_APART:
        apart = _column_apart(apart, name)
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
    test = SampleTable.joined([query, gallery]).without(junk_pids).identified("query and gallery")
    train, test = _all_named([train, test], "pids")
    test = test.relabelled().shifted(pids=train.counts.ids)
    return SampleTable.joined([train, test]).distinct().relabelled()


def _all_named(
    tables: Sequence[SampleTable], kind: Literal["pids", "camids"]
) -> Sequence[SampleTable]:
    """Name the identities, or the cameras, of every table where those of any have names.

    Beside names, a number that changes could be taken for a name of another table.
    """
    if not any(getattr(table.names, kind) for table in tables):
        return tables
    numbers = [np.unique(getattr(table, kind)).tolist() for table in tables]
    return [
        replace(table, names=table.names.filled(**{kind: present}))
        for table, present in zip(tables, numbers, strict=True)
    ]


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
    raise SampleError(
        f"item {number} of {where} has the path {quoted(path)}",
        "It must be a path or, for a tracklet, a tuple of one or more paths",
    )


def _int_column(values: Sequence[object], name: str, where: str) -> Int64Array:
    if not set(map(type, values)) <= {int, np.int64}:
        for number, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise SampleError(
                    f"item {number} of {where} has {name}={quoted(value)}",
                    "It must be a whole number",
                )
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        most = max(values, key=lambda value: abs(cast("int", value)))
        raise DataError(
            f"{where} has {name}={quoted(most)}, which does not fit into 64 bits",
            "Number them anew, or let reidcore.data.NumberedTexts take them for names",
        ) from None


def _files_of(path: SamplePath) -> tuple[str, ...]:
    return (path,) if isinstance(path, str) else path


def _encoded(texts: Sequence[str]) -> Names:
    """Return texts as an array of bytes, (M,)."""
    chunks = [_split_bytes(texts[n : n + _CHUNK]) for n in range(0, len(texts), _CHUNK)]
    return np.concatenate([np.array(chunk, dtype=np.bytes_) for chunk in chunks or [[]]])


def _split_bytes(texts: Sequence[str]) -> list[bytes]:
    joined = "\0".join(texts)
    try:
        encoded = joined.encode(_ENCODING, _ERRORS).split(b"\0")
    except UnicodeEncodeError as error:
        raise _no_file_name(texts[joined.count("\0", 0, error.start)], error.reason) from error
    if len(encoded) != len(texts):
        named = next(text for text in texts if "\0" in text)
        raise _no_file_name(named, "it holds a zero byte")
    return encoded


def _no_file_name(path: str, reason: str) -> DataError:
    return DataError(f"the path {quoted(path)} is no file name: {reason}", "Rename the file")


def _decoded(name: bytes) -> str:
    return name.decode(_ENCODING, _ERRORS)


def _prefixed(names: Names, beginning: str) -> Names:
    return np.strings.add(beginning.encode(_ENCODING, _ERRORS), names) if beginning else names


def _shared_folder(texts: list[str]) -> str:
    """Return the common beginning of texts up to its last separator, that included."""
    common = os.path.commonprefix(texts)  # noqa: RUF071  (cut at a separator)
    return common[: max(common.rfind(separator) for separator in _SEPARATORS) + 1]
