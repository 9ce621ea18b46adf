r"""Trees of images whose names say whom they show: folders, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reid_plugins_datasets.own.beside import tell_beside
from reid_plugins_datasets.own.layouts import recognise
from reid_plugins_own_data.crop import Crop, Recognised
from reidcore.data import MARKET_PATTERN, LabelNames, SampleTable, from_folders
from reidcore.errors import DataError

_SPLITS = ("train", "query", "gallery")
_COLUMNS = ("class", "sequence", "frame", "track")


class Folders:
    r"""Reads a folder for each identity or camera, Market1501's layout, or names by a pattern.

    Args:
        pattern: regular expression with the group ``pid`` and, where they are known, ``camid``,
            ``class``, ``sequence``, ``frame`` and ``track``. Without a slash it is searched in the
            file name; with one, in the path below the source. By default the tree is recognised.
    """

    def __init__(self, pattern: str = "") -> None:
        self._pattern = pattern

    def recognise(self, source: Path) -> Recognised | None:
        """Take a folder whose names are understood, or any if there is a pattern."""
        if not source.is_dir():
            return None
        if self._pattern:
            return Recognised(f"the pattern {self._pattern} reads it")
        layout = recognise(source)
        return Recognised(layout.example) if layout else None

    def crops(self, source: Path) -> Iterator[Crop]:
        """Yield the images as they are, those of ``train``, ``query`` and ``gallery`` told apart.

        Raises:
            DataError: names are not understood, or no image is there.
        """
        pattern, folders = self._pattern, {"train": "."}
        if not pattern:
            pattern, folders = _understood(source)
        tell_beside(source, [source / name for name in folders.values()])
        places: dict[str, str | None] = {split: folders.get(split) for split in _SPLITS}
        read = dict(zip(_SPLITS, from_folders(source, **places, pattern=pattern), strict=True))
        for split, folder in folders.items():
            said = split if len(folders) > 1 else ""
            yield from _crops_of(SampleTable.of(read[split]), source / folder, pattern, said)


def _understood(source: Path) -> tuple[str, dict[str, str]]:
    """Return the pattern of a tree, and split -> its folder; all of it is for training if none."""
    layout = recognise(source)
    if layout is None:
        raise DataError(
            f"the names in {str(source)!r} do not say whom its images show in a way that is known",
            r"Give a pattern, such as pattern='(?P<camid>cam\d+)-(?P<pid>[a-z]+)-', with a slash "
            "in it for the path below the folder",
        )
    pattern = layout.options.get("pattern", MARKET_PATTERN)
    names = {split: layout.options.get(split, split) for split in _SPLITS}
    if names["train"] == ".":
        return pattern, {"train": "."}
    return pattern, {split: name for split, name in names.items() if (source / name).is_dir()}


def _crops_of(table: SampleTable, folder: Path, pattern: str, split: str) -> Iterator[Crop]:
    names = LabelNames.of(table)
    matcher = re.compile(pattern)
    has_cameras = "camid" in matcher.groupindex
    for path, pid, camid, _ in table:
        file = Path(str(path))
        found = matcher.search(file.relative_to(folder).as_posix())
        told = found.groupdict() if found else {}
        category, sequence, frame, track = (told.get(column) or "" for column in _COLUMNS)
        yield Crop(
            file,
            names.pid(pid),
            names.camid(camid) if has_cameras else "",
            category=category,
            sequence=sequence,
            frame=int(frame) if frame.isdecimal() else None,
            track=track,
            split=split,
        )
