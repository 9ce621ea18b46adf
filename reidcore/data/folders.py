"""The common layout of re-identification datasets, read in one line."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from reidcore.data.sample import Sample, Splits
from reidcore.errors import DataError

_log = logging.getLogger(__name__)

MARKET_PATTERN = r"(?P<pid>-?\d+)_c(?P<camid>\d+)"
"""Market1501's file names, such as ``0002_c1s1_000451_03.jpg``: identity 2, camera 1."""

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
"""Endings of the files that are taken for images."""

JUNK_PID = -1
"""Market1501's mark for images that count neither for nor against a query."""


def from_folders(
    root: str | os.PathLike[str],
    train: str | None = "train",
    query: str | None = "query",
    gallery: str | None = "gallery",
    pattern: str = MARKET_PATTERN,
) -> Splits:
    r"""Read a dataset that keeps one folder of images a split.

    Identity and camera are read from the file *name*, never from the folders above it. Files that
    are no images are passed over, and so are images of identity -1 (Market1501's mark for junk).

    Args:
        root: Folder that holds the three folders.
        train: Name of the training folder; None if there is none.
        query: Name of the query folder; None if there is none.
        gallery: Name of the gallery folder; None if there is none.
        pattern: Regular expression with the groups ``pid`` and ``camid``.

    Returns:
        The splits, each sorted by file name.

    Raises:
        DataError: A folder is missing, no image in it has a name of the expected form, or the
            pattern is not one.

    Example:
        >>> from_folders("shop", gallery="database", pattern=r"cam(?P<camid>\d+)_id(?P<pid>\d+)")
    """
    matcher = _compile(pattern)
    names = {"train": train, "query": query, "gallery": gallery}
    folders = {split: Path(root) / name for split, name in names.items() if name}
    missing = [folder for folder in folders.values() if not folder.is_dir()]
    if missing:
        raise DataError(f"no folder {missing[0]}", _layout(root, names, pattern))
    found = {split: _read_folder(folder, matcher) for split, folder in folders.items()}
    return Splits(*(found.get(split, []) for split in names))


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        matcher = re.compile(pattern)
    except re.error as error:
        raise DataError(f"the file name pattern {pattern!r} is not one ({error})") from error
    if not {"pid", "camid"} <= matcher.groupindex.keys():
        raise DataError(
            f"the file name pattern {pattern!r} lacks a group",
            f"It must name both, as in {MARKET_PATTERN}",
        )
    return matcher


def _layout(root: str | os.PathLike[str], names: dict[str, str | None], pattern: str) -> str:
    expected = ", ".join(f"{name}/" for name in names.values() if name)
    example = "0002_c1_000451.jpg" if pattern == MARKET_PATTERN else f"/{pattern}/"
    return f"Expected under {root}: {expected} each holding images named like {example}"


def _read_folder(folder: Path, matcher: re.Pattern[str]) -> list[Sample]:
    files = dict(sorted(_image_files(folder)))
    samples: list[Sample] = []
    strangers: list[str] = []
    for name, path in files.items():
        match = matcher.search(name)
        if match is None:
            strangers.append(name)
            continue
        pid, camid = _numbers(match, path)
        if pid != JUNK_PID:
            samples.append(Sample(path, pid, camid))
    if strangers:
        _report_strangers(folder, strangers, len(files), matcher)
    return samples


def _image_files(folder: Path) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(IMAGE_EXTENSIONS) and entry.is_file():
                yield entry.name, entry.path


def _numbers(match: re.Match[str], path: str) -> tuple[int, int]:
    try:
        return int(match["pid"]), int(match["camid"])
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the name of {path} gives pid={match['pid']!r} and camid={match['camid']!r}",
            "Both must be whole numbers: change the pattern",
        ) from error


def _report_strangers(
    folder: Path, strangers: list[str], total: int, matcher: re.Pattern[str]
) -> None:
    told = f"{strangers[0]!r} in {folder} does not match the pattern {matcher.pattern}"
    if len(strangers) == total:
        raise DataError(told, "No image there does: rename the files or give another pattern")
    _log.warning("%d of %d images left out: %s", len(strangers), total, told)
