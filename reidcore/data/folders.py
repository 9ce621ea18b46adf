"""The common layout of re-identification datasets, read in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reidcore.data.image_files import find_image_files
from reidcore.data.label_names import WITHOUT_CAMERAS, LabelNames, NumberedTexts
from reidcore.data.left_out import leave_out
from reidcore.data.sample import JUNK_PID, Splits
from reidcore.errors import DataError

if TYPE_CHECKING:
    from reidcore.data.table import SampleTable

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
        pattern: Regular expression with the group ``pid`` and, where cameras are known, ``camid``:
            numbers or, where any is no number, names (`NumberedTexts`). A hyphen is a sign if it is
            in the group. With a slash the pattern is searched in the path below the split's
            folder, in images at any depth.

    Returns:
        The splits, each a `SampleTable` sorted by file name (or path below its folder);
        ``list(splits.train)`` is one that can be changed.

    Raises:
        DataError: A folder is missing, no image in it has a name of the expected form, the pattern
            is not one, or an identity is below -1.

    Example:
        >>> from_folders("shop", gallery="database", pattern=r"cam(?P<camid>\d+)_id(?P<pid>\d+)")
    """
    matcher = _compile(pattern)
    names = {"train": train, "query": query, "gallery": gallery}
    folders = {split: Path(root) / name for split, name in names.items() if name}
    missing = [folder for folder in folders.values() if not os.path.isdir(folder)]  # noqa: PTH112  (raises nothing)
    if missing:
        raise DataError(f"no folder {missing[0]}", _layout(root, names, pattern))
    found = {split: _read_folder(folder, matcher) for split, folder in folders.items()}
    pids = _numbered("pid", matcher, found, JUNK_PID)
    if "camid" in matcher.groupindex:
        camids = _numbered("camid", matcher, found)
    else:
        where = f"the pattern {pattern} has no camid" if query or gallery else ""
        camids = NumberedTexts.unknown_cameras(where)
    tables = {
        split: _table_of(folders[split], found[split], pids, camids, WITHOUT_CAMERAS[split])
        for split in found
    }
    return Splits(*(tables.get(split, []) for split in names))


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        matcher = re.compile(pattern)
    except re.error as error:
        raise DataError(f"the file name pattern {pattern!r} is not one ({error})") from error
    if "pid" not in matcher.groupindex:
        raise DataError(
            f"the file name pattern {pattern!r} lacks a group pid",
            f"It must name pid, and camid where cameras are known, as in {MARKET_PATTERN}",
        )
    return matcher


def _layout(root: str | os.PathLike[str], names: dict[str, str | None], pattern: str) -> str:
    expected = ", ".join(f"{name}/" for name in names.values() if name)
    example = "0002_c1_000451.jpg" if pattern == MARKET_PATTERN else f"/{pattern}/"
    return f"Expected under {root}: {expected} each holding images named like {example}"


_Found: TypeAlias = Sequence[tuple[str, re.Match[str]]]
"""Names of images below a folder, each with what the pattern found in it."""


def _read_folder(folder: Path, matcher: re.Pattern[str]) -> _Found:
    images, deeper = find_image_files(folder, below="/" in matcher.pattern)
    if deeper and not images:
        raise DataError(
            f"all images of {str(folder)!r} lie in folders below it: {len(deeper)}, such as "
            f"{deeper[0]!r}",
            "A pattern with a slash reads them: "
            r"(?P<pid>\d+)/c(?P<camid>\d+) takes 0002/c1/x.jpg for identity 2, camera 1",
        )
    found = [(name, matcher.search(name)) for name in images]
    strangers = [str(folder / name) for name, match in found if match is None]
    if strangers and len(strangers) == len(images):
        raise DataError(
            f"{images[0]!r} in {folder} does not match the pattern {matcher.pattern}",
            "No image there does: rename the files or give another pattern",
        )
    why = f"they do not match the pattern {matcher.pattern}"
    leave_out(strangers, "images", why, total=len(images))
    return [(name, match) for name, match in found if match is not None]


def _numbered(
    group: str, matcher: re.Pattern[str], found: Mapping[str, _Found], lowest: int | None = None
) -> NumberedTexts:
    """Number the identities, or the cameras, of all folders."""
    texts = {match[group] or "": name for pairs in found.values() for name, match in pairs}
    read = NumberedTexts.of(texts, lowest)
    for text, why in read.wrong.items():
        raise DataError(
            f"the pattern {matcher.pattern} reads {group} {text!r} in {texts[text]!r}, which {why}",
            "Change the pattern. Where a hyphen separates, keep it out of the group, as the "
            f"default does: {MARKET_PATTERN}",
        )
    read.warn_of_mixture(f"{group} in names of files, such as {texts.get(read.odd)!r}")
    return read


def _table_of(
    folder: Path, found: _Found, pids: NumberedTexts, camids: NumberedTexts, without: int
) -> SampleTable:
    """Return the samples of a folder; without cameras all are of the one that is given."""
    import numpy as np

    from reidcore.data.table import SampleTable

    cameras = (camids.numbers[match["camid"]] if camids.numbers else without for _, match in found)
    table = SampleTable.below(
        folder,
        [name for name, _ in found],
        np.array([pids.numbers[match["pid"]] for _, match in found], dtype=np.int64),
        np.fromiter(cameras, np.int64, len(found)),
        label_names=LabelNames(pids.names, camids.names),
    )
    junk = table.pids == JUNK_PID
    leave_out(table.paths.take(junk), f"images of identity {JUNK_PID}", "junk", expected=True)
    return table.take(~junk)
