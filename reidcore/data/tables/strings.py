"""Many strings as arrays: one buffer of bytes, and where each of them lies in it.

A million paths as Python strings are a million objects, which every worker process comes to hold
for itself as it touches their reference counts. Here they are three arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError

Bytes: TypeAlias = npt.NDArray[np.uint8]
Starts: TypeAlias = npt.NDArray[np.int64]
Lengths: TypeAlias = npt.NDArray[np.int32]
Rows: TypeAlias = npt.NDArray[np.integer]
Hashes: TypeAlias = npt.NDArray[np.uint64]

CHUNK = 1 << 15
"""How many strings are worked on at a time, which bounds the memory of array code on bytes."""

_ENCODING, _ERRORS = "utf-8", "surrogateescape"
_BASE = 0x9E3779B97F4A7C15  # odd, so that its powers stay invertible modulo 2**64


@dataclass(frozen=True, eq=False)
class Strings:
    """N strings in UTF-8; bytes that are none survive as Python's file names do.

    Rows may overlap and lie in any order, so that choosing rows copies no text.

    Attributes:
        buffer: bytes of all strings, uint8.
        starts: (N,) where each begins.
        lengths: (N,) how many bytes each has.
    """

    buffer: Bytes
    starts: Starts
    lengths: Lengths

    @classmethod
    def of(cls, texts: Sequence[str], cut: int = 0) -> Strings:
        """Make a column of strings.

        Args:
            texts: the strings.
            cut: how many characters at the beginning of each to leave out.

        Raises:
            DataError: one holds half a surrogate pair, which no file name has.
        """
        parts: list[Bytes] = []
        lengths = np.empty(len(texts), dtype=np.int32)
        for begin in range(0, len(texts), CHUNK):
            chunk = texts[begin : begin + CHUNK]
            try:
                encoded = [text[cut:].encode(_ENCODING, _ERRORS) for text in chunk]
            except UnicodeEncodeError as error:
                raise DataError(
                    f"the path {error.object!r} is no file name: {error.reason}",
                    "Rename the file",
                ) from error
            parts.append(np.frombuffer(b"".join(encoded), dtype=np.uint8))
            lengths[begin : begin + CHUNK] = np.fromiter(map(len, encoded), np.int32, len(encoded))
        return cls(_joined_bytes(parts), _starts_of(lengths), lengths)

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, row: int) -> str:
        """Return one string."""
        return self.raw(row).decode(_ENCODING, _ERRORS)

    def raw(self, row: int) -> bytes:
        """Return the bytes of one string."""
        start = self.starts[row]
        return self.buffer[start : start + self.lengths[row]].tobytes()

    def texts(self) -> Iterator[str]:
        """Yield all strings in order."""
        for begin in range(0, len(self), CHUNK):
            chunk = self.take(slice(begin, begin + CHUNK))
            flat = chunk.flat().tobytes()
            end = 0
            for length in chunk.lengths.tolist():
                begin_text, end = end, end + length
                yield flat[begin_text:end].decode(_ENCODING, _ERRORS)

    def take(self, rows: Rows | slice) -> Strings:
        """Return some rows, which share this buffer."""
        return Strings(self.buffer, self.starts[rows], self.lengths[rows])

    def flat(self) -> Bytes:
        """Return the bytes of all rows one after the other; for few rows at a time."""
        lengths = self.lengths.astype(np.int64)
        shift = np.repeat(self.starts - _starts_of(lengths), lengths)
        shift += np.arange(len(shift))
        return self.buffer[shift]

    def compact(self) -> Strings:
        """Return the same strings in a buffer without gaps."""
        if int(self.lengths.sum(dtype=np.int64)) == len(self.buffer):
            return self
        return Strings(
            _joined_bytes([chunk.flat() for chunk in self.chunks()]),
            _starts_of(self.lengths),
            self.lengths,
        )

    def without_beginning(self, count: int) -> Strings:
        """Return the strings without their first bytes."""
        return Strings(
            self.buffer, self.starts + count, (self.lengths - count).astype(np.int32, copy=False)
        )

    def with_beginning(self, beginning: str) -> Strings:
        """Return the strings with one text put before each."""
        if not beginning:
            return self
        extra = np.frombuffer(beginning.encode(_ENCODING, _ERRORS), dtype=np.uint8)
        parts = [_with_extra(chunk, extra) for chunk in self.chunks()]
        lengths = (self.lengths + len(extra)).astype(np.int32)
        return Strings(_joined_bytes(parts), _starts_of(lengths), lengths)

    def common_beginning(self) -> bytes:
        """Return the longest beginning that all strings share."""
        if not len(self):
            return b""
        common = np.frombuffer(self.raw(0), dtype=np.uint8)[: int(self.lengths.min())]
        for chunk in self.chunks():
            beginnings = self.buffer[chunk.starts[:, None] + np.arange(len(common))]
            same = (beginnings == common).all(axis=0)
            common = common if same.all() else common[: int(same.argmin())]
        return common.tobytes()

    def hashes(self) -> Hashes:
        """Return an (N,) hash of each string: equal strings have equal ones, others seldom."""
        hashed = np.empty(len(self), dtype=np.uint64)
        powers = _powers(int(self.lengths.max(initial=0)))
        for begin in range(0, len(self), CHUNK):
            chunk = self.take(slice(begin, begin + CHUNK))
            values = chunk.flat().astype(np.uint64) + np.uint64(1)
            hashed[begin : begin + CHUNK] = weighted_sums(values, chunk.lengths, powers)
        return hashed

    def chunks(self) -> Iterator[Strings]:
        """Yield the column piece by piece."""
        for begin in range(0, len(self), CHUNK):
            yield self.take(slice(begin, begin + CHUNK))

    @staticmethod
    def joined(columns: Sequence[Strings]) -> Strings:
        """Put columns one below the other; a buffer that they all share is not copied."""
        buffers = {id(column.buffer): column.buffer for column in columns}
        sizes = [len(buffer) for buffer in buffers.values()]
        begins = dict(zip(buffers, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        return Strings(
            _joined_bytes(list(buffers.values())),
            np.concatenate([column.starts + begins[id(column.buffer)] for column in columns]),
            np.concatenate([column.lengths for column in columns]),
        )

    def __getstate__(self) -> tuple[Bytes, Starts, Lengths]:
        """Send no more text to another process than its rows have."""
        own = self.compact()
        return own.buffer, own.starts, own.lengths

    def __setstate__(self, state: tuple[Bytes, Starts, Lengths]) -> None:
        for name, value in zip(("buffer", "starts", "lengths"), state, strict=True):
            object.__setattr__(self, name, value)


def weighted_sums(values: Hashes, counts: Rows, powers: Hashes) -> Hashes:
    """Return, modulo 2**64, the sum of each group's values, weighted by their places in it.

    Args:
        values: (M,) values of all groups, one group after the other.
        counts: (N,) sizes of the groups, of sum M.
        powers: a weight for each place, as many as the largest group needs.
    """
    counts = counts.astype(np.int64)
    places = np.arange(len(values)) - np.repeat(_starts_of(counts), counts)
    totals = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values * powers[places])])
    ends = np.cumsum(counts)
    sums: Hashes = totals[ends] - totals[ends - counts]
    return sums


def _powers(count: int) -> Hashes:
    base = np.full(count, _BASE, dtype=np.uint64)
    return np.cumprod(base, dtype=np.uint64)


def powers_for(counts: Rows) -> Hashes:
    """Return the weights that groups of these sizes need, see `weighted_sums`."""
    return _powers(int(counts.max(initial=0)))


def _with_extra(strings: Strings, extra: Bytes) -> Bytes:
    count = len(extra)
    begins = _starts_of(strings.lengths.astype(np.int64) + count)
    places = begins[:, None] + np.arange(count)
    flat = np.empty(int(strings.lengths.sum(dtype=np.int64)) + count * len(strings), np.uint8)
    is_text = np.ones(len(flat), dtype=np.bool_)
    is_text[places] = False
    flat[places] = extra
    flat[is_text] = strings.flat()
    return flat


def _joined_bytes(parts: Sequence[Bytes]) -> Bytes:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.empty(0, dtype=np.uint8), *parts])


def _starts_of(lengths: Rows) -> Starts:
    """Return where each string begins if one follows the other."""
    starts = np.zeros(len(lengths), dtype=np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return starts
