"""Datasets of animals that come with a table, as the package wildlife-datasets makes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reid_plugins_datasets.reading.option_values import choose
from reid_plugins_datasets.wildlife import splits
from reid_plugins_datasets.wildlife.metadata import UNDATED, Metadata, read_metadata, years_of
from reid_plugins_datasets.wildlife.splits import Parts
from reidcore.data import (
    WITHOUT_CAMERAS,
    DatasetCard,
    LabelNames,
    SampleTable,
    Splits,
    described_by,
    leave_out,
    require,
)
from reidcore.errors import DataError, did_you_mean, quoted

CARD = DatasetCard(
    title="Wildlife table",
    folder="",
    layout="""\
metadata.csv    (option file) with the columns path, identity and, where known, date
....jpg         the pictures, where the column path says""",
    paper="Cermak et al. WildlifeDatasets: An Open-source Toolkit for Animal Re-identification. "
    "WACV 2024; the ways to split: Papafitsoros et al. SeaTurtleID. arXiv 2211.10307",
    source="https://github.com/WildlifeDatasets/wildlife-datasets",
    licence="that of the dataset whose table it is",
    protocol="What is searched for are the pictures of the test part, among the pictures that were "
    "learnt from, which are the database (test.protocol=wildlife). With split=disjoint, where the "
    "test has animals of its own, each of its pictures is searched for among all others of them. "
    "There are no cameras: the gallery counts as another one than the queries, so that nothing is "
    "left out but a query's own file. 'reidcore data check' tells of images and animals in train "
    "and test at once, which is meant here.",
    combines=False,
)


PARTS = {"train": True, "database": True, "test": False, "query": False}
"""Word in the column of parts -> whether the picture is learnt from."""


class Split(NamedTuple):
    """What decides where a picture goes.

    Attributes:
        share: of what is learnt from; None for the usual one.
        new: share of the pictures of animals that are not learnt from.
        year: whose pictures are searched for.
        seed: of the draws.
        part: the column that says it.
    """

    share: float | None
    new: float
    year: int
    seed: int
    part: str

    def usual(self, share: float) -> float:
        """Return the share that was asked for, or the usual one."""
        return share if self.share is None else self.share


def _closed(data: Metadata, split: Split) -> Parts:
    return splits.closed_set(data.table.pids, split.usual(0.8), split.seed)


def _open(data: Metadata, split: Split) -> Parts:
    return splits.open_set(data.table.pids, split.usual(0.8), split.new, split.seed)


def _disjoint(data: Metadata, split: Split) -> Parts:
    return splits.disjoint_set(data.table.pids, split.new, split.seed)


def _time_proportion(data: Metadata, split: Split) -> Parts:
    return splits.time_proportion(data.table.pids, data.days, split.usual(0.5))


def _time_cutoff(data: Metadata, split: Split) -> Parts:
    return splits.time_cutoff(years_of(data.days), split.year)


def _given(data: Metadata, split: Split) -> Parts:
    column = data.table.columns.get(split.part)
    if column is None:
        near = did_you_mean(split.part, data.table.columns)
        raise DataError(
            f"the table has no column {split.part!r} that says what is learnt from",
            f"{near} Name it by wildlife.part=NAME".lstrip(),
        )
    words = np.char.lower(column.astype(np.str_))
    strange = sorted(set(words.tolist()) - set(PARTS))
    if strange:
        raise DataError(
            f"the column {split.part!r} says {quoted(strange[0])}",
            f"It may say {', '.join(PARTS)}",
        )
    learnt = np.isin(words, [word for word, is_learnt in PARTS.items() if is_learnt])
    return Parts(learnt, ~learnt)


WAYS: dict[str, Callable[[Metadata, Split], Parts]] = {
    "closed": _closed,
    "open": _open,
    "disjoint": _disjoint,
    "time_proportion": _time_proportion,
    "time_cutoff": _time_cutoff,
    "given": _given,
}
"""Value of the option ``split`` -> what splits so."""

_TIMED = ("time_proportion", "time_cutoff")


@described_by(CARD)
def wildlife(
    root: str | os.PathLike[str],
    *,
    file: str = "metadata.csv",
    images: str = "",
    path: str = "path",
    identity: str = "identity",
    date: str = "date",
    unknown: str = "unknown",
    split: str = "closed",
    share: float | None = None,
    new: float = 0.2,
    year: int = 0,
    seed: int = 666,
    part: str = "split",
) -> Splits:
    """Read a table of animals, and split it as the field does.

    All further columns of the file are kept, ``date`` among them.

    Args:
        root: the data root.
        file: the table, below the root.
        images: folder below the root that paths start from; if empty, the table's own.
        path: name of the column with the images' paths.
        identity: name of the column with the animals.
        date: name of the column with the dates, which begin as 2015-06-30.
        unknown: what the column of animals says, if it is not empty, of those that nobody knows;
            they are left out.
        split: ``closed``: pictures of each animal on both sides; ``open``: some animals are in the
            test alone; ``disjoint``: all of them are; ``time_proportion``: the first days of each
            animal are learnt from; ``time_cutoff``: the years before ``year`` are; ``given``: a
            column of the table says it.
        share: of the pictures (``closed``, ``open``) or of each animal's days
            (``time_proportion``) that are learnt from; 0.8 and 0.5 if it is not given.
        new: share of the pictures whose animals are in the test alone (``open``, ``disjoint``).
        year: whose pictures are searched for, with ``time_cutoff``; later ones are left out.
        seed: another number draws other pictures or animals.
        part: name of the column that says ``train`` or ``database``, ``test`` or ``query``, with
            ``given``.

    Raises:
        DataError: the table is missing or faulty, names pictures that are not there, or cannot be
            split so.
    """
    way = choose(CARD.title, "split", split, WAYS)
    _check_shares(share, new)
    table = Path(root) / file
    require(CARD, table)
    names = {"path": path, "identity": identity, "date": date}
    folder = Path(root) / images if images else table.parent
    data = read_metadata(table, folder, names, unknown)
    if split in _TIMED:
        data = _dated(data, table, date, year if split == "time_cutoff" else None)
    parts = way(data, Split(share, new, year, seed, part))
    left = ~(parts.train | parts.test)
    leave_out(data.table.paths.take(left), "images", f"later than {year}", expected=True)
    _check_parts(parts, split, table)
    learnt, tested = data.table.take(parts.train), data.table.take(parts.test)
    searched = tested if split == "disjoint" else learnt
    return Splits(learnt, _seen_by("query", tested), _seen_by("gallery", searched))


def _seen_by(side: str, table: SampleTable) -> SampleTable:
    camids = np.full(len(table), WITHOUT_CAMERAS[side], dtype=np.int64)
    names = LabelNames(table.names.pids, dict.fromkeys(WITHOUT_CAMERAS.values(), "unknown"))
    return replace(table, camids=camids, names=names)


def _dated(data: Metadata, table: Path, column: str, year: int | None) -> Metadata:
    """Return the pictures whose date is known; they must be on both sides of a year, if given."""
    known = data.days != UNDATED
    if not known.any():
        raise DataError(
            f"{str(table)!r} has no date in the column {column!r}",
            "Name it by wildlife.date=NAME, or choose split=closed, open or disjoint",
        )
    leave_out(data.table.paths.take(~known), "images without a date")
    years = years_of(data.days[known])
    if year is not None and not (years.min() < year and (years == year).any()):
        raise DataError(
            f"{str(table)!r} cannot be cut off at the year {year}",
            f"It has pictures of {', '.join(map(str, np.unique(years).tolist()))}: give "
            "wildlife.year one of them but the first",
        )
    return data.take(known)


def _check_shares(share: float | None, new: float) -> None:
    for name, value in (("share", 0.5 if share is None else share), ("new", new)):
        if not 0 < value < 1:
            raise DataError(f"wildlife.{name} is {quoted(value)}", "Give a share between 0 and 1")


def _check_parts(parts: Parts, split: str, table: Path) -> None:
    for side, mask in (("learn from", parts.train), ("search for", parts.test)):
        if not mask.any():
            raise DataError(
                f"split={split} leaves no picture of {str(table)!r} to {side}",
                "There are too few animals or pictures for it: choose another split or share",
            )
