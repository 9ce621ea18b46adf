"""The pairs of images in blocks, each pair once, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reid_plugins_calibration.images import Codes, Features, Items, Mask

_ROWS, _COLUMNS = 1024, 4096  # images: 16 MiB of similarities


@dataclass(frozen=True, eq=False)
class Block:
    """R images against C images, which come later in the order or are the same.

    Attributes:
        rows: where the R images stand.
        columns: where the C images stand.
        similarity: (R, C) cosines, within [-1, 1].
        matches: (R, C) comparable pairs of one identity.
        nonmatches: (R, C) comparable pairs of two identities.
    """

    rows: slice
    columns: slice
    similarity: Features
    matches: Mask
    nonmatches: Mask


def bands(items: Items) -> list[slice]:
    """Part the rows into bands of whole identities, each of one fold."""
    starts = identity_starts(items)
    fold = items.folds[items.identities[starts[:-1]]]
    ends = []
    begin = 0
    for number in range(1, len(starts)):
        is_last = number == len(starts) - 1
        if is_last or fold[number] != fold[number - 1] or starts[number + 1] - begin > _ROWS:
            ends.append(slice(begin, int(starts[number])))
            begin = int(starts[number])
    return ends


def identity_starts(items: Items) -> Codes:
    """Return where the images of each identity begin, and N: those without images are not there."""
    changes = np.flatnonzero(np.diff(items.identities, prepend=-1))
    return np.append(changes, len(items))


def blocks_of(items: Items, band: slice, parts: list[slice]) -> Iterator[Block]:
    """Yield the blocks of one band of rows against all that does not come before it.

    Args:
        items: the images.
        band: the rows.
        parts: the bands of the columns; a block is of one of them at least, and of one fold.
    """
    for columns in _columns(items, band, parts):
        yield _block(items, band, columns)


def _columns(items: Items, band: slice, parts: list[slice]) -> Iterator[slice]:
    """Yield runs of bands of one fold, from the rows' own band on, of at most so many images."""
    begin, end = band.start, band.stop
    for part in (each for each in parts if each.start >= band.stop):
        folds = items.folds[items.identities[[begin, part.start]]]
        if folds[0] != folds[1] or part.stop - begin > _COLUMNS:
            yield slice(begin, end)
            begin = part.start
        end = part.stop
    yield slice(begin, end)


def _block(items: Items, rows: slice, columns: slice) -> Block:
    similarity = items.features[rows] @ items.features[columns].T
    np.clip(similarity, -1, 1, out=similarity)
    comparable = np.arange(rows.start, rows.stop)[:, None] < np.arange(columns.start, columns.stop)
    if items.across:
        comparable &= items.cameras[rows, None] != items.cameras[columns]
    if items.tracks is not None:
        comparable &= items.tracks[rows, None] != items.tracks[columns]
    same = items.identities[rows, None] == items.identities[columns]
    matches = comparable & same
    unknown = ~items.searched[items.identities[rows]]
    matches[unknown] = False
    return Block(rows, columns, similarity, matches, comparable & ~same)
