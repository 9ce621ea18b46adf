"""From rows to a file of features: what is there is kept, what is missing is extracted."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_extraction.parts import Part, Parts
from reid_plugins_extraction.subjects import Row, Subjects
from reid_plugins_extraction.tables import Table, write_table
from reidcore.cli import progress
from reidcore.data import leave_out
from reidcore.engine import barrier, rank_and_world
from reidcore.errors import DataError, UserError, counted
from reidcore.inference import FeatureExtractor

_log = logging.getLogger(f"reidcore.{__name__}")

_MOST_REASONS = 3


def extract_table(
    extractor: FeatureExtractor, subjects: Subjects, record: Mapping[str, Any], output: Path
) -> None:
    """Extract the features of all rows and write them, sharing the work among processes.

    Args:
        extractor: made alike in each process.
        subjects: the rows.
        record: which model the features are of.
        output: the file; its parts are kept beside it until it is written.

    Raises:
        UserError: if parts of another extraction are there, the output cannot be written, or
            several processes were to share a stream.
        DataError: if no row has features.
    """
    rank, world = rank_and_world()
    if subjects.is_live and world > 1:
        raise UserError(
            f"a stream is read by one process, and there are {world}", "Run it without torchrun."
        )
    parts = Parts(output, len(subjects))
    if rank == 0:
        parts.open({**record, **subjects.record()}, can_go_on=not subjects.is_live)
    barrier()
    blocks = parts.missing(rank, world)
    barrier()  # nobody writes before all have looked
    todo = sum(map(len, blocks))
    if world == 1 and todo < len(subjects):
        done = len(subjects) - todo
        _log.info("Going on: %s of %s are there", f"{done:,}", _counted(len(subjects), subjects))
    try:
        with _shown(todo, rank) as advance:
            for block, part in _extracted(extractor, subjects, blocks, advance):
                parts.write(block, part)
    except BaseException:
        if world == 1:  # others may be about to write
            parts.remove_if_empty()
        raise
    barrier()
    if rank == 0:
        _finish(parts, subjects, extractor.feature_dim, record, output)


def _counted(count: int, subjects: Subjects) -> str:
    return counted(count, *subjects.kind)


def _shown(count: int, rank: int) -> AbstractContextManager[Any]:
    if rank:
        return nullcontext(lambda steps: None)
    return progress("extracting", count)


class _Block:
    """A block that is being extracted."""

    def __init__(self, rows: range) -> None:
        self.rows = rows
        self.features: dict[int, npt.NDArray[np.float32]] = {}
        self.bad: dict[int, str] = {}

    @property
    def is_done(self) -> bool:
        """Whether each row has features or a reason why not."""
        return len(self.features) + len(self.bad) == len(self.rows)

    def part(self, width: int) -> Part:
        """Return what was found."""
        rows = sorted(self.features)
        found = [self.features[row] for row in rows]
        bad = sorted(self.bad)
        return Part(
            np.array(rows, dtype=np.int64),
            np.array(found, dtype=np.float32).reshape(-1, width),
            np.array(bad, dtype=np.int64),
            np.array([self.bad[row] for row in bad], dtype=str),
        )


def _extracted(
    extractor: FeatureExtractor, subjects: Subjects, blocks: Sequence[range], advance: Any
) -> Iterator[tuple[range, Part]]:
    """Yield the blocks as they are finished, in their order."""
    waiting = deque(_Block(rows) for rows in blocks)
    block_of = {block.rows.start: block for block in waiting}
    starts = np.array(sorted(block_of), dtype=np.int64)
    given: dict[int, int] = {}  # place in the extractor's stream -> row

    def block(row: int) -> _Block:
        return block_of[int(starts[np.searchsorted(starts, row, side="right") - 1])]

    def leave(row: int, error: UserError) -> None:
        block(row).bad[row] = getattr(error.__cause__, "reason", error.what)
        advance(1)

    def stream(rows: Iterator[Row]) -> Iterator[Any]:
        for place, each in enumerate(rows):
            given[place] = each.row
            yield each.image

    wanted = [row for rows in blocks for row in rows]
    images = stream(subjects.images(wanted, leave))
    batches = extractor.extract(images, on_bad=lambda place, error: leave(given.pop(place), error))
    for batch in batches:
        features = batch.features.cpu().numpy()
        for place, feature in zip(batch.places, features, strict=True):
            row = given.pop(place)
            block(row).features[row] = feature
        advance(len(batch.places))
        while waiting and waiting[0].is_done:
            finished = waiting.popleft()
            del block_of[finished.rows.start]
            starts = starts[1:]
            yield finished.rows, finished.part(extractor.feature_dim)
    for finished in waiting:  # those whose last rows were left out
        yield finished.rows, finished.part(extractor.feature_dim)


class _Summary(NamedTuple):
    """Which rows have features, and why others have none."""

    rows: npt.NDArray[np.int64]
    reasons: Mapping[int, str]


def _summary(parts: Parts) -> _Summary:
    rows = []
    reasons: dict[int, str] = {}
    for part in parts.read():
        rows.append(part.rows)
        reasons.update(zip(part.bad.tolist(), part.reasons.tolist(), strict=True))
    return _Summary(np.concatenate(rows), reasons)


def _tell_bad(reasons: Mapping[int, str], subjects: Subjects) -> None:
    """Tell which rows have no features, a line for each reason if these are few."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row, reason in sorted(reasons.items()):
        by_reason[reason].append(subjects.name(row))
    if len(by_reason) > _MOST_REASONS:
        names = [f"{subjects.name(row)} ({reason})" for row, reason in sorted(reasons.items())]
        by_reason = {subjects.fault: names}
    for reason, names in by_reason.items():
        leave_out(names, subjects.kind[1], reason, total=len(subjects))


def _finish(
    parts: Parts, subjects: Subjects, width: int, record: Mapping[str, Any], output: Path
) -> None:
    found = _summary(parts)
    _tell_bad(found.reasons, subjects)
    if not len(found.rows):
        parts.remove()
        raise DataError(
            f"of {_counted(len(subjects), subjects)} none can be read", "See the lines above."
        )

    def features() -> Iterator[npt.NDArray[np.float32]]:
        return (part.features for part in parts.read() if len(part.features))

    columns = subjects.columns(found.rows)
    write_table(output, Table(len(found.rows), width, columns, features, record))
    parts.remove()
    _log.info("%s: %s of %d numbers", output, counted(len(found.rows), "feature"), width)
