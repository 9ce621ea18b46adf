r"""Anyone's own dataset: train, query and gallery folders, read by a pattern, without code."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from reidcore.data import IMAGE_EXTENSIONS, JUNK_PID, MARKET_PATTERN, Sample, Splits, from_folders
from reidcore.errors import DataError

_log = logging.getLogger(__name__)


def folder(
    root: str | os.PathLike[str],
    *,
    train: str = "train",
    query: str = "query",
    gallery: str = "gallery",
    pattern: str = MARKET_PATTERN,
) -> Splits:
    r"""Read the images below three folders; a set may be absent.

    Without ``query`` and ``gallery`` the dataset serves for training only, without ``train`` for
    testing only. Images of identity -1 are left out.

    Args:
        root: folder that holds the three folders.
        train: name of the training folder.
        query: name of the folder of queries.
        gallery: name of the folder of images to search in.
        pattern: regular expression with the groups ``pid`` and ``camid``, both whole numbers.
            Without a slash it is searched in the file name; with one, in the path below the
            set's folder: ``(?P<pid>\d+)/c(?P<camid>\d+)_`` reads ``train/0012/c3_0001.jpg``.

    Raises:
        DataError: no set is there, one of query and gallery is missing, or the pattern does not
            fit.
    """
    names = {"train": train, "query": query, "gallery": gallery}
    present = {key: name for key, name in names.items() if name and (Path(root) / name).is_dir()}
    _check_present(Path(root), names, present)
    if "/" not in pattern:
        places = {key: present.get(key) for key in names}
        return from_folders(root, pattern=pattern, **places)
    matcher = _compiled(pattern)
    found = {key: _read_tree(Path(root) / name, matcher) for key, name in present.items()}
    return Splits(found.get("train", []), found.get("query", []), found.get("gallery", []))


def _check_present(root: Path, names: dict[str, str], present: dict[str, str]) -> None:
    half = ("query" in present) != ("gallery" in present)
    if present and not half:
        return
    expected = ", ".join(f"{name}/" for name in names.values() if name)
    lacking = [name for key, name in names.items() if key not in present]
    if half:
        lacking = [names[key] for key in ("query", "gallery") if key not in present]
    raise DataError(
        f"the folder dataset has no {' and no '.join(repr(str(root / n)) for n in lacking)}",
        f"Expected {expected} below {root}: train alone, query and gallery alone, or all three. "
        "Other names are given by the options train, query and gallery.",
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        matcher = re.compile(pattern)
    except re.error as error:
        raise DataError(f"the path pattern {pattern!r} is not one ({error})") from error
    if not {"pid", "camid"} <= matcher.groupindex.keys():
        raise DataError(
            f"the path pattern {pattern!r} lacks a group",
            r"It must name both, as in (?P<pid>\d+)/c(?P<camid>\d+)_",
        )
    return matcher


def _read_tree(directory: Path, matcher: re.Pattern[str]) -> list[Sample]:
    """Read the images at any depth below a folder, sorted by their path below it."""
    paths = sorted(
        Path(above, name).relative_to(directory).as_posix()
        for above, _, names in os.walk(directory)
        for name in names
        if name.lower().endswith(IMAGE_EXTENSIONS)
    )
    matches = [(path, matcher.search(path)) for path in paths]
    strangers = [path for path, match in matches if match is None]
    if strangers:
        told = f"{strangers[0]!r} in {directory} does not match the pattern {matcher.pattern}"
        if len(strangers) == len(paths):
            raise DataError(told, "No image there does: give another pattern.")
        _log.warning("%d of %d images left out: %s", len(strangers), len(paths), told)
    samples = (_sample(directory, path, match) for path, match in matches if match)
    return [sample for sample in samples if sample.pid != JUNK_PID]


def _sample(directory: Path, path: str, match: re.Match[str]) -> Sample:
    try:
        return Sample(str(directory / path), int(match["pid"]), int(match["camid"]))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the path {path!r} gives pid={match['pid']!r} and camid={match['camid']!r}",
            "Both must be whole numbers: change the pattern.",
        ) from error
