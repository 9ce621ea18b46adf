"""Datasets made from one's own images: split by identity and camera, and written to disk."""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from reidcore._files import PathLike, atomic_folder, atomic_write
from reidcore.data.image_files import image_endings, is_image
from reidcore.data.sample import JUNK_PID, Samples, Splits
from reidcore.data.table import Int64Array, SampleTable
from reidcore.errors import DataError, counted, quoted

_log = logging.getLogger(__name__)

Item = TypeVar("Item", int, str)


class IdentitySplit(NamedTuple):
    """What `split_identities` made of a set of images, and why.

    Attributes:
        splits: Train, query and gallery.
        across_cameras: Whether queries are searched for in other cameras, as the usual protocol
            does; if not, test with ``test.protocol=any_camera``.
        notes: A sentence for each decision, such as which identities cannot be searched for.
    """

    splits: Splits
    across_cameras: bool
    notes: tuple[str, ...]


def split_identities(samples: Samples, test: float = 0.5, seed: int = 0) -> IdentitySplit:
    """Split images into train, query and gallery, so that no test identity is learnt from.

    Test identities are drawn at random from those that can be searched for: seen by two cameras
    or more or, where no identity is, with two images or more. Each camera with several images of a
    test identity gives one of them, drawn at random, as a query, or one camera of an identity where
    none has several; all others are the gallery. So every query has a match. Identities that cannot
    be searched for are learnt from; negative ones are left out.

    The same images give the same split in any order, on any machine. For a validation set, split
    the training samples again.

    Args:
        samples: All images or tracklets.
        test: Share of the identities to test with, 0 to 1.
        seed: Another number draws other identities and queries.

    Raises:
        DataError: ``test`` is no share, there are no samples, or no identity can be searched for.

    Example:
        >>> whole = split_identities(samples, test=0.5)
        >>> validation = split_identities(whole.splits.train, test=0.1)
    """
    if not 0 <= test <= 1:
        told = f"the share of test identities is {quoted(test)}"
        raise DataError(told, "Give a number from 0 to 1")
    table = SampleTable.of(samples, "the samples to split")
    known = table.take(table.pids >= 0)
    if not len(known):
        raise DataError("there are no samples to split", "Give some with identities of 0 or more")
    able, across = searchable_identities(known)
    count = known.counts.ids
    wanted = max(1, round(test * count)) if test else 0
    if wanted and not able:
        raise DataError(
            "no identity can be searched for: each has one image",
            "Give two or more images of an identity, by two cameras if cameras are known",
        )
    tested = seeded_order(able, f"{seed}")[:wanted]
    is_test = np.isin(known.pids, np.array(tested, dtype=np.int64))
    train, rest = known.take(~is_test), known.take(is_test)
    is_query = query_mask(rest, across, seed)
    few = "camera" if across else "image"
    notes = {
        f"identities: {count:,} by {counted(known.counts.cameras, 'camera')}, "
        f"{train.counts.ids:,} to learn from, {len(tested):,} to test with": True,
        "no identity is seen by two cameras: queries are searched for in all images, test with "
        "test.protocol=any_camera": not across,
        f"identities with one {few} only, which cannot be searched for and are learnt from: "
        f"{count - len(able):,}": len(able) < count,
        f"test identities asked for: {wanted:,}": len(tested) < wanted,
        f"samples of negative identities, left out: {len(table) - len(known):,}": (
            len(known) < len(table)
        ),
    }
    splits = Splits(train, rest.take(is_query), rest.take(~is_query))
    return IdentitySplit(splits, across, tuple(note for note, holds in notes.items() if holds))


def searchable_identities(table: SampleTable) -> tuple[list[int], bool]:
    """Return the identities that can be searched for, ascending, and whether across cameras.

    They are those seen by two cameras or more or, where no identity is, with two images or more.
    """
    pairs = np.unique(np.stack([table.pids, table.camids], axis=1), axis=0)  # (pairs, 2)
    pids, cameras = np.unique(pairs[:, 0], return_counts=True)
    across = bool((cameras > 1).any())
    counts = cameras if across else np.unique(table.pids, return_counts=True)[1]
    return pids[counts > 1].tolist(), across


def query_mask(table: SampleTable, across: bool, seed: int) -> npt.NDArray[np.bool_]:
    """Return which samples of test identities are queries, (N,).

    Args:
        table: The samples; each identity can be searched for.
        across: Whether in other cameras alone, as `searchable_identities` says.
        seed: Another number draws other queries.
    """
    paths = list(table.paths)
    seen: dict[int, dict[int, list[int]]] = {}  # identity -> camera -> rows, in order of paths
    for row in sorted(range(len(table)), key=paths.__getitem__):
        camera = int(table.camids[row]) if across else 0
        seen.setdefault(int(table.pids[row]), {}).setdefault(camera, []).append(row)
    is_query = np.zeros(len(table), dtype=np.bool_)
    for pid, cameras in seen.items():
        several = [camera for camera, rows in cameras.items() if len(rows) > 1]
        for camera in several or seeded_order(cameras, f"{seed} {pid}")[:1]:
            rows = cameras[camera]
            is_query[rows[seeded_order(range(len(rows)), f"{seed} {pid} {camera}")[0]]] = True
    return is_query


def seeded_order(items: Iterable[Item], seed: str) -> list[Item]:
    """Return items in a random order that depends on the seed and the items alone.

    The order is that of the SHA-256 of ``"<seed> <item>"``, so it is the same for any order of the
    items, on any machine, whatever a library's generator does in its next version.

    Args:
        items: Distinct numbers or texts.
        seed: Another text gives another order.
    """

    def place(item: Item) -> bytes:
        return hashlib.sha256(f"{seed} {item}".encode()).digest()

    return sorted(items, key=place)


def write_layout(splits: Splits, target: PathLike) -> Path:
    """Write a dataset to a new folder or to a table, complete or not at all.

    A target that ends in ``.csv`` becomes a table for the dataset ``csv`` (path, pid, camid, split
    and the further columns that all splits have); images stay where they are, and the paths of
    those below the table's folder are written relative to it.

    Any other target becomes a folder with ``train``, ``query`` and ``gallery``, for `from_folders`
    and the dataset ``folder``; images get names such as ``0002_c1_000451.jpg`` and are hard links
    where the file system has them, else copies. Further columns and names of labels are not kept.

    Args:
        splits: The samples of single images; an empty split is left out.
        target: The folder, new or empty, or the table.

    Returns:
        The target.

    Raises:
        DataError: There are no samples, one is a tracklet or cannot be named so that it is read
            back, or the folder holds something.
        UserError: The target cannot be written.
    """
    tables = {
        name: SampleTable.of(split, f"{name!r} to be written")
        for name, split in zip(Splits._fields, splits, strict=True)
        if len(split)
    }
    if not tables:
        raise DataError("there are no samples to write", "Give a split that is not empty")
    for name, table in tables.items():
        if table.paths.has_tracklets:
            raise DataError(f"{name!r} holds tracklets", "Only single images can be written")
    path = Path(target)
    if path.suffix.lower() == ".csv":
        _write_csv(tables, path)
    else:
        _write_folders(tables, path)
    return path


def _write_csv(tables: Mapping[str, SampleTable], file: Path) -> None:
    further = sorted(set.intersection(*(set(table.columns) for table in tables.values())))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", "pid", "camid", "split", *further])
    above = os.path.join(file.absolute().parent, "")  # noqa: PTH118  (ends in a separator)
    people = _texts([(table.pids, table.names.pids) for table in tables.values()])
    cameras = _texts([(table.camids, table.names.camids) for table in tables.values()])
    for (split, table), *labels in zip(tables.items(), people, cameras, strict=True):
        paths = (os.path.abspath(str(path)).removeprefix(above) for path in table.paths)  # noqa: PTH100
        columns = [_listed(table.columns[name]) for name in further]
        splits = [split] * len(table)
        rows.writerows(zip(paths, *labels, splits, *columns, strict=True))
    try:
        content = text.getvalue().encode()
    except UnicodeEncodeError as error:
        line = error.object[: error.start].count("\n") + 1
        raise DataError(
            f"line {line} of the table {str(file)!r} would hold a path that is no UTF-8 text",
            "Rename the file, or write a folder",
        ) from error
    with atomic_write(file) as opened:
        opened.write(content)


def _listed(column: npt.NDArray[np.generic] | Int64Array) -> list[object]:
    listed: list[object] = column.tolist()
    return listed


def _texts(labels: Sequence[tuple[Int64Array, Mapping[int, str]]]) -> list[list[object]]:
    """Return what is written of the labels of each split, so that no two become one.

    Those are names where all have one and no name stands for two numbers of any splits, save that
    splits in which a number has several names are numbered each for itself: there no name may stand
    for two numbers of one split. They are numbers otherwise: beside names they would be names too.

    Args:
        labels: the (N,) numbers of each split, and number -> name; junk needs none.
    """
    named = [
        {(number, names.get(number, "")) for number in set(numbers.tolist()) - {JUNK_PID}}
        for numbers, names in labels
    ]
    pairs = set().union(*named)
    are_alike = len({number for number, _ in pairs}) == len(pairs)
    is_clear = all(
        len({name for _, name in several}) == len(several)
        for several in ([pairs] if are_alike else named)
    )
    if not (is_clear and all(name for _, name in pairs)):
        return [_listed(numbers) for numbers, _ in labels]
    return [[names.get(n, n) for n in numbers.tolist()] for numbers, names in labels]


def _write_folders(tables: Mapping[str, SampleTable], folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DataError(f"{str(folder)!r} exists already", "Name a new or an empty folder")
    if any(table.names.pids or table.names.camids for table in tables.values()):
        _log.warning("%s has the numbers of identities and cameras; a table keeps names", folder)
    with atomic_folder(folder) as partial:
        for split, table in tables.items():
            (partial / split).mkdir()
            for number, (path, pid, camid, _) in enumerate(table):
                place = Path(str(path))
                _link_or_copy(place, partial / split / _name(place, pid, camid, number))


def _name(path: Path, pid: int, camid: int, number: int) -> str:
    if camid < 0 or pid < JUNK_PID or not is_image(path.name):
        raise DataError(
            f"{str(path)!r} of identity {pid} and camera {camid} would not be read back from a "
            "folder",
            f"Both count from 0, and names end in {', '.join(image_endings())}; a table (.csv) "
            "takes any",
        )
    person = pid if pid == JUNK_PID else f"{pid:04d}"
    return f"{person}_c{camid}_{number:06d}{path.suffix.lower()}"


def _link_or_copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise DataError(f"there is no image {str(source)!r}", "Check the paths of the samples")
    try:
        target.hardlink_to(source.resolve())
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
