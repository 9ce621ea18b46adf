"""The paths of a table as arrays: no Python object for each of a million images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from reidcore.data.sample import SamplePath
from reidcore.data.tables.strings import (
    CHUNK,
    Bytes,
    Hashes,
    Rows,
    Strings,
    powers_for,
    weighted_sums,
)

SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


class Frames(NamedTuple):
    """Which names make each row of a column that holds tracklets.

    Attributes:
        firsts: (N,) the first name of each row, int64.
        counts: (N,) how many names follow one another, int32; 0 for a single image, no tracklet.
    """

    firsts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int32]

    def take(self, rows: Rows | slice) -> Frames:
        """Return some rows."""
        return Frames(self.firsts[rows], self.counts[rows])


@dataclass(frozen=True, eq=False)
class PathColumn(Sequence[SamplePath]):
    """N paths: of images, or tuples of the paths of a tracklet's frames.

    Attributes:
        folder: what all paths begin with, up to a separator; empty if they share no folder.
        names: the rest of each path, those of tracklets frame after frame.
        frames: which names make each row; None if row n is the image of name n.
    """

    folder: str
    names: Strings
    frames: Frames | None = None

    @classmethod
    def of(cls, paths: Sequence[SamplePath]) -> PathColumn:
        """Make a column of paths that are known to be well formed.

        Raises:
            DataError: a path cannot be a file name.
        """
        if all(type(path) is str for path in paths):
            return cls._of_files(paths)  # type: ignore[arg-type]
        counts = [0 if isinstance(path, str) else len(path) for path in paths]
        files = [name for path in paths for name in ((path,) if isinstance(path, str) else path)]
        sizes = np.maximum(np.array(counts, dtype=np.int32), 1)
        firsts = np.cumsum(sizes, dtype=np.int64) - sizes
        return replace(cls._of_files(files), frames=Frames(firsts, np.array(counts, np.int32)))

    @classmethod
    def below(cls, folder: str | os.PathLike[str], names: Sequence[str]) -> PathColumn:
        """Make a column of the files of one folder, from their names."""
        path = os.fspath(folder)
        return cls(path if path.endswith(SEPARATORS) else path + os.sep, Strings.of(names))

    @classmethod
    def _of_files(cls, files: Sequence[str]) -> PathColumn:
        folder = _shared_folder([min(files), max(files)]) if files else ""
        return cls(folder, Strings.of(files, len(folder)))

    def __len__(self) -> int:
        return len(self.names if self.frames is None else self.frames.firsts)

    @overload
    def __getitem__(self, index: int) -> SamplePath: ...
    @overload
    def __getitem__(self, index: slice) -> PathColumn: ...
    def __getitem__(self, index: int | slice) -> SamplePath | PathColumn:
        if isinstance(index, slice):
            return self.take(index)
        if self.frames is None:
            return self.folder + self.names.text(index)
        first, count = int(self.frames.firsts[index]), int(self.frames.counts[index])
        if not count:
            return self.folder + self.names.text(first)
        return tuple(self.folder + self.names.text(n) for n in range(first, first + count))

    def __iter__(self) -> Iterator[SamplePath]:
        if self.frames is None:
            return (self.folder + name for name in self.names.texts())
        return (self[row] for row in range(len(self)))

    @property
    def has_tracklets(self) -> bool:
        """Whether any row is a tracklet."""
        return bool(self.tracklets.any())

    @property
    def tracklets(self) -> npt.NDArray[np.bool_]:
        """Which rows are tracklets, (N,)."""
        if self.frames is None:
            return np.zeros(len(self), dtype=np.bool_)
        return self.frames.counts > 0

    @property
    def num_files(self) -> int:
        """How many files there are in all rows."""
        return int(self.sizes().sum(dtype=np.int64))

    def sizes(self) -> npt.NDArray[np.int32]:
        """Return how many files each row has, (N,)."""
        if self.frames is None:
            return np.ones(len(self), dtype=np.int32)
        return np.maximum(self.frames.counts, 1)

    def files(self) -> Iterator[str]:
        """Yield the path of every file, row by row and frame by frame."""
        return (self.folder + name for name in self._ordered().names.texts())

    def take(self, rows: Rows | slice) -> PathColumn:
        """Return the column of some rows; no text is copied."""
        if self.frames is None:
            return replace(self, names=self.names.take(rows))
        return replace(self, frames=self.frames.take(rows))

    def compact(self) -> PathColumn:
        """Return the column without names, or bytes, that no row has."""
        ordered = self._ordered()
        return replace(ordered, names=ordered.names.compact())

    def moved(self, folder: str) -> PathColumn:
        """Return the column with another common folder."""
        return replace(self, folder=folder)

    def first_repeats(self) -> npt.NDArray[np.int64] | None:
        """Return the rows without those whose path came before, or None if no path did."""
        hashes = self._hashes()
        _, firsts, groups, counts = np.unique(
            hashes, return_index=True, return_inverse=True, return_counts=True
        )
        if len(firsts) == len(self):
            return None
        kept = np.ones(len(self), dtype=np.bool_)
        seen: set[SamplePath] = set()
        # Unequal paths of one hash are possible: the paths themselves decide.
        for row in np.flatnonzero(counts[groups.reshape(-1)] > 1).tolist():
            path = self[row]
            kept[row] = path not in seen
            seen.add(path)
        return None if kept.all() else np.flatnonzero(kept)

    def lines(self) -> Iterator[bytes]:
        """Yield what tells the paths apart wherever they lie, for hashing, piece by piece.

        One line a row: its path below the folder common to all files, with frames parted by zero
        bytes.
        """
        column = self._ordered()
        ends = np.full(len(column.names), ord("\n"), dtype=np.uint8)
        if column.frames is not None:
            ends[:] = 0
            ends[column.frames.firsts + column.sizes() - 1] = ord("\n")
        common = column.names.common_beginning().decode("utf-8", "surrogateescape")
        names = column.names.without_beginning(
            len(_folder_of(common).encode("utf-8", "surrogateescape"))
        )
        for begin in range(0, len(names), CHUNK):
            yield _with_ends(names.take(slice(begin, begin + CHUNK)), ends[begin : begin + CHUNK])

    @staticmethod
    def joined(columns: Sequence[PathColumn]) -> PathColumn:
        """Put columns one below the other."""
        filled = [column for column in columns if len(column)]
        if len(filled) < 2:
            return filled[0] if filled else PathColumn.of([])
        folder = _shared_folder([column.folder for column in filled])
        names = Strings.joined(
            [column.names.with_beginning(column.folder[len(folder) :]) for column in filled]
        )
        if all(column.frames is None for column in filled):
            return PathColumn(folder, names)
        starts = np.cumsum([0, *(len(column.names) for column in filled)]).tolist()
        framed = [column._framed() for column in filled]
        firsts = [part.firsts + start for part, start in zip(framed, starts, strict=False)]
        counts = np.concatenate([part.counts for part in framed])
        return PathColumn(folder, names, Frames(np.concatenate(firsts), counts))

    def _framed(self) -> Frames:
        if self.frames is not None:
            return self.frames
        return Frames(np.arange(len(self)), np.zeros(len(self), dtype=np.int32))

    def _ordered(self) -> PathColumn:
        """Return the column whose names lie in the order of its rows, and no others do."""
        if self.frames is None:
            return self
        sizes = self.sizes().astype(np.int64)
        firsts = np.cumsum(sizes) - sizes
        rows = np.repeat(self.frames.firsts - firsts, sizes) + np.arange(int(sizes.sum()))
        return replace(self, names=self.names.take(rows), frames=Frames(firsts, self.frames.counts))

    def _hashes(self) -> Hashes:
        if self.frames is None:
            return self.names.hashes()
        ordered = self._ordered()
        sizes = self.sizes()
        return weighted_sums(ordered.names.hashes(), sizes, powers_for(sizes))

    def __getstate__(self) -> tuple[str, Strings, Frames | None]:
        """Send no more names to another process than its rows have."""
        own = self.compact()
        return own.folder, own.names, own.frames

    def __setstate__(self, state: tuple[str, Strings, Frames | None]) -> None:
        for name, value in zip(("folder", "names", "frames"), state, strict=True):
            object.__setattr__(self, name, value)


def column_of(paths: Iterable[SamplePath] | PathColumn) -> PathColumn:
    """Return paths as a column; one that is a column already is returned as it is."""
    return paths if isinstance(paths, PathColumn) else PathColumn.of(list(paths))


def _shared_folder(texts: list[str]) -> str:
    return _folder_of(os.path.commonprefix(texts))  # noqa: RUF071  (cut at a separator)


def _folder_of(beginning: str) -> str:
    """Return a common beginning up to its last separator, that included."""
    return beginning[: max(beginning.rfind(separator) for separator in SEPARATORS) + 1]


def _with_ends(strings: Strings, ends: Bytes) -> bytes:
    """Return the bytes of strings, each followed by its end, with ``/`` between folders."""
    after = np.cumsum(strings.lengths.astype(np.int64) + 1) - 1
    flat = np.empty(int(after[-1]) + 1, dtype=np.uint8)
    is_text = np.ones(len(flat), dtype=np.bool_)
    is_text[after] = False
    flat[after] = ends
    text = strings.flat()
    if os.sep != "/":
        text[text == ord(os.sep)] = ord("/")
    flat[is_text] = text
    return flat.tobytes()
