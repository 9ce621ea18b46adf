"""What an extraction has finished, in a folder beside its output: it goes on from there.

The rows are parted into blocks of one size, and each block, once extracted, is a file that is
written at once. An extraction that was interrupted goes on with the blocks that are missing, and
several processes take the blocks in turns. A file ``job.json`` says what is extracted, and by which
model: the parts of another job are refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reidcore.errors import UserError
from reidcore.utils import atomic_write, mkdir_if_missing, read_json, write_json

BLOCK = 512
"""Rows in a block: some seconds of work on a CPU."""


class Part(NamedTuple):
    """A block that is finished.

    Attributes:
        rows: (n,) those that have features, ascending.
        features: (n, D) float32.
        bad: (m,) the rows that were left out.
        reasons: (m,) why.
    """

    rows: npt.NDArray[np.int64]
    features: npt.NDArray[np.float32]
    bad: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.str_]


class Parts:
    """The finished blocks of an extraction.

    Args:
        output: the file that will be written.
        count: rows.
    """

    def __init__(self, output: Path, count: int) -> None:
        self.folder = output.with_name(f"{output.name}.parts")
        self._count = count

    def open(self, job: Mapping[str, Any], can_go_on: bool = True) -> None:
        """Make the folder, or take the parts that are there.

        Args:
            job: plain values that say what is extracted, and by what.
            can_go_on: whether the images can be had again.

        Raises:
            UserError: if parts of another job are there, or of one that cannot go on, or the folder
                cannot be written.
        """
        note = self.folder / "job.json"
        if note.is_file() and any(self.folder.glob("*.npz")):
            if not can_go_on:
                raise UserError(
                    f"{str(self.folder)!r} has parts of a stream, which is not where it was",
                    "Delete that folder, or choose another output.",
                )
            before = read_json(note)
            differing = [key for key in job if before.get(key) != job[key]]
            if differing:
                raise UserError(
                    f"{str(self.folder)!r} has parts of another extraction, which "
                    f"differs in {' and '.join(differing)}",
                    "Delete that folder, or choose another output.",
                )
            return
        mkdir_if_missing(self.folder)
        write_json(dict(job), note)

    def missing(self, rank: int, world: int) -> list[range]:
        """Return the blocks that a process is to extract: each as its rows."""
        blocks = [
            range(start, min(start + BLOCK, self._count)) for start in range(0, self._count, BLOCK)
        ]
        open_blocks = [block for block in blocks if not self._file(block.start).is_file()]
        return open_blocks[rank::world]

    def write(self, block: range, part: Part) -> None:
        """Keep a finished block."""
        with atomic_write(self._file(block.start)) as file:
            np.savez(file, **part._asdict())

    def read(self) -> Iterator[Part]:
        """Yield all parts in the order of the rows."""
        for start in range(0, self._count, BLOCK):
            with np.load(self._file(start)) as found:
                yield Part(*(found[name] for name in Part._fields))

    def remove_if_empty(self) -> None:
        """Remove the folder where nothing was finished."""
        if not any(self.folder.glob("*.npz")):
            self.remove()

    def remove(self) -> None:
        """Remove the folder, once the output is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, start: int) -> Path:
        return self.folder / f"{start:012d}.npz"
