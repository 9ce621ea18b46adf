"""Crops to files: a whole picture's file as it is, a box in a frame cut with a margin."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from reid_plugins_own_data.crop import Box, Crop
from reid_plugins_own_data.importing.files import ImageFiles
from reid_plugins_own_data.importing.labels import Labelled
from reid_plugins_own_data.importing.pictures import shown
from reid_plugins_own_data.importing.selection import too_small
from reid_plugins_own_data.importing.table import Row
from reidcore.data import leave_out
from reidcore.errors import DataError
from reidcore.inference import cut_crops

_OUTSIDE = "their boxes hold no pixel of the frame"
_UNREADABLE = "they cannot be read"


class _Done(NamedTuple):
    """A row whose image was written, or why it was not."""

    row: Labelled
    path: str = ""
    reason: str = ""


def with_margin(box: Box, margin: float) -> Box:
    """Return a box with a share of its width and height added on each side."""
    left, top, width, height = box
    across, down = margin * width, margin * height
    return left - across, top - down, width + 2 * across, height + 2 * down


def write_crops(
    rows: Sequence[Labelled],
    files: ImageFiles,
    margin: float = 0.0,
    min_size: tuple[int, int] = (1, 1),
    advance: Callable[[int], None] = lambda count: None,
) -> list[Row]:
    """Write the image of each row; what cannot be read or is too small is left out and told.

    Args:
        rows: of the table.
        files: where the images go.
        margin: share of a box's width and height that is added on each side.
        min_size: least width and height of what a frame shows of a box, without the margin, or of
            a picture that is not cut.
        advance: called with how many more rows are done.
    """
    written: list[Row] = []
    refused: dict[str, list[Crop]] = defaultdict(list)
    whole = [row for row in rows if _is_whole(row.crop)]
    cut = [row for row in rows if not _is_whole(row.crop)]
    for done in chain(_take(whole, files, min_size), _cut(cut, files, margin, min_size)):
        if done.reason:
            refused[done.reason].append(done.row.crop)
        else:
            written.append(Row(done.path, done.row.pid, done.row.camid, done.row.crop))
        advance(1)
    for reason, crops in refused.items():
        leave_out(crops, "crops", reason, expected=reason == too_small(min_size))
    return written


def _is_whole(crop: Crop) -> bool:
    return crop.box is None and isinstance(crop.picture, Path)


def _take(
    rows: Sequence[Labelled], files: ImageFiles, min_size: tuple[int, int]
) -> Iterator[_Done]:
    """Take files as they are, of which no more is read than what they say of themselves."""
    for row in rows:
        file = Path(str(row.crop.picture))
        if not (file.is_file() and os.access(file, os.R_OK)):
            yield _Done(row, reason=_UNREADABLE)
        elif reason := _reason_against(file, min_size):
            yield _Done(row, reason=reason)
        else:
            yield _Done(row, files.take(file, row))


def _cut(
    rows: Sequence[Labelled], files: ImageFiles, margin: float, min_size: tuple[int, int]
) -> Iterator[_Done]:
    for pixels, some in shown(rows):
        height, width = pixels.shape[:2]
        for row in some:
            box = row.crop.box or (0, 0, width, height)
            seen = cut_crops(pixels, [box], "ltwh", on_bad=_pass_over)
            if not seen:  # a margin brings no box into the frame that lies outside of it
                yield _Done(row, reason=_OUTSIDE)
            elif _is_smaller((seen[0].shape[1], seen[0].shape[0]), min_size):
                yield _Done(row, reason=too_small(min_size))
            else:
                (crop,) = cut_crops(pixels, [with_margin(box, margin)], "ltwh")
                yield _Done(row, files.save(crop, row))


def _pass_over(row: int, error: DataError) -> None:
    """Let a box outside of its frame be left out."""


def _reason_against(file: Path, min_size: tuple[int, int]) -> str:
    try:
        with Image.open(file) as image:
            return too_small(min_size) if _is_smaller(image.size, min_size) else ""
    except (OSError, ValueError, Image.DecompressionBombError):
        return _UNREADABLE


def _is_smaller(size: tuple[int, int], least: tuple[int, int]) -> bool:
    return size[0] < least[0] or size[1] < least[1]
