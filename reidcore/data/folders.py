"""The common layout of re-identification datasets, read in one line."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reidcore.data.image_files import find_image_files
from reidcore.data.left_out import leave_out
from reidcore.data.sample import JUNK_PID, Sample, Splits
from reidcore.errors import DataError

MARKET_PATTERN = r"(?P<pid>^-0*1|[0-9]+)_c(?P<camid>[0-9]+)"
"""Market1501's file names, such as ``0002_c1s1_000451_03.jpg``: identity 2, camera 1.

A hyphen belongs to the number in the mark for junk alone, with which a name begins:
``site-3_c4.jpg`` shows identity 3.
"""


def from_folders(
    root: str | os.PathLike[str],
    train: str | None = "train",
    query: str | None = "query",
    gallery: str | None = "gallery",
    pattern: str = MARKET_PATTERN,
) -> Splits:
    r"""Read a dataset that keeps one folder of images a split.

    Identity and camera are read from the file *name* or, by a pattern with a slash, from the path
    below the split's folder; never from the folders above. Files that are no images are left out,
    and so are images of identity -1 (Market1501's mark for junk) and those whose name does not
    match: all are counted, and told with their first names.

    Args:
        root: Folder that holds the three folders.
        train: Name of the training folder; None if there is none.
        query: Name of the query folder; None if there is none.
        gallery: Name of the gallery folder; None if there is none.
        pattern: Regular expression with the groups ``pid`` and ``camid``, both digits, a hyphen
            before them if it is in the group. With a slash it is searched in the path below the
            split's folder, in images at any depth.

    Returns:
        The splits, each sorted by file name (or path below its folder).

    Raises:
        DataError: A folder is missing, no image in it has a name of the expected form, the pattern
            is not one, or an identity is below -1.

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
    images, deeper = find_image_files(folder, below="/" in matcher.pattern)
    if deeper and not images:
        raise DataError(
            f"all images of {str(folder)!r} lie in folders below it: {len(deeper)}, such as "
            f"{deeper[0]!r}",
            "A pattern with a slash reads them: "
            r"(?P<pid>\d+)/c(?P<camid>\d+) takes 0002/c1/x.jpg for identity 2, camera 1",
        )
    found = [(str(folder / name), matcher.search(name)) for name in images]
    strangers = [path for path, match in found if match is None]
    if strangers and len(strangers) == len(images):
        raise DataError(
            f"{images[0]!r} in {folder} does not match the pattern {matcher.pattern}",
            "No image there does: rename the files or give another pattern",
        )
    why = f"they do not match the pattern {matcher.pattern}"
    leave_out(strangers, "images", why, total=len(images))
    samples = [_sample(match, path) for path, match in found if match is not None]
    junk = [sample.path for sample in samples if sample.pid == JUNK_PID]
    leave_out(junk, f"images of identity {JUNK_PID}", "junk", expected=True)
    return [sample for sample in samples if sample.pid != JUNK_PID]


def _sample(match: re.Match[str], path: str) -> Sample:
    pid, camid = (_number(match[group]) for group in ("pid", "camid"))
    if pid is None or camid is None:
        raise DataError(
            f"the name of {path} gives pid={match['pid']!r} and camid={match['camid']!r}",
            "Both must be whole numbers: change the pattern",
        )
    if pid < JUNK_PID:
        raise DataError(
            f"the pattern {match.re.pattern} reads identity {pid} in {path}",
            f"Identities count from 0, and {JUNK_PID} marks junk. Where the hyphen separates, keep "
            f"it out of the group pid, as the default does: {MARKET_PATTERN}",
        )
    return Sample(path, pid, camid)


def _number(text: str | None) -> int | None:
    """Return a whole number written in digits alone; int() would take ``1_2`` for 12."""
    return int(text) if text and re.fullmatch(r"-?[0-9]+", text) else None
