"""The files in which Torchreid keeps the splits that it drew, so that earlier results compare.

They hold absolute paths of the machine that drew them: only the last names of a path are used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, TypeVar

from reid_plugins_datasets.reading.names import shown
from reid_plugins_datasets.reading.option_values import check_split_id
from reidcore.data import Sample, Splits
from reidcore.errors import DataError
from reidcore.utils import read_json

_log = logging.getLogger(f"reidcore.{__name__}")

Split = TypeVar("Split")


def stored_split(
    path: Path, title: str, split_id: int, read: Callable[[Mapping[str, Any]], Split]
) -> Split | None:
    """Return one of the splits in a file, or None if there is no such file.

    Args:
        path: where Torchreid keeps it.
        title: the dataset, for messages.
        split_id: which one, base 0.
        read: makes a split of the stored one.

    Raises:
        DataError: the file is not of that form, has no such split, or names pictures that are not
            there.
    """
    if not path.is_file():
        return None
    splits = read_json(path)
    if not isinstance(splits, list):
        raise _malformed(path)
    check_split_id(title, split_id, len(splits))
    _log.info("%s: split %d of %s, which Torchreid drew", title, split_id, path)
    try:
        return read(splits[split_id])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _malformed(path) from error


def stored_samples(
    split: Mapping[str, Any], pictures: Iterable[str], depth: int, path: Path
) -> Splits:
    """Make splits of stored lists of ``[path, pid, camid]``.

    Args:
        split: its ``train``, ``query`` and ``gallery``.
        pictures: paths of the dataset's pictures as they lie here.
        depth: how many of a path's last names tell a picture from all others.
        path: the file, for messages.

    Raises:
        DataError: a picture is not there.
    """

    def name(stored: str) -> str:
        # Windows' rules know both kinds of slashes.
        return "/".join(PureWindowsPath(stored).parts[-depth:])

    here = {name(picture): picture for picture in pictures}

    def samples(mode: str) -> list[Sample]:
        rows = [(name(stored), int(pid), int(camid)) for stored, pid, camid in split[mode]]
        check_stored([picture for picture, _, _ in rows], here, path)
        return sorted(Sample(here[picture], pid, camid) for picture, pid, camid in rows)

    return Splits(samples("train"), samples("query"), samples("gallery"))


def check_stored(names: Sequence[str] | Sequence[int], known: Container[Any], path: Path) -> None:
    """Check that what a file names is there.

    Raises:
        DataError: it is not; the message counts the missing and shows the first three.
    """
    missing = sorted({str(name) for name in names if name not in known})
    if missing:
        raise DataError(
            f"{str(path)!r} names {len(missing)} that are not there: {shown(missing)}",
            "Torchreid drew that split for other files: remove it to use the built-in one",
        )


def _malformed(path: Path) -> DataError:
    return DataError(
        f"{str(path)!r} is not a file of splits as Torchreid writes it",
        "Remove it to use the built-in split",
    )
