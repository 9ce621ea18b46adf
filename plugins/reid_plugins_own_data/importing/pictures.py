"""Pixels of crops: each picture is decoded once for all that is cut from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reid_plugins_tracks.frames import Picture
from reid_plugins_tracks.pictures import read_pictures

from reid_plugins_own_data.crop import Crop
from reid_plugins_own_data.importing.labels import Labelled
from reidcore.data import Pixels, leave_out


class Shown(NamedTuple):
    """A picture and the rows whose crops lie in it.

    Attributes:
        pixels: (h, w, 3), RGB.
        rows: the rows.
    """

    pixels: Pixels
    rows: list[Labelled]


def shown(rows: Sequence[Labelled]) -> Iterator[Shown]:
    """Yield each picture once; those that cannot be read are left out and told.

    Args:
        rows: with pictures in any order; images come first, then videos from start to end.
    """
    of_picture: dict[Picture, list[Labelled]] = defaultdict(list)
    for row in rows:
        of_picture[row.crop.picture].append(row)
    unread: dict[str, list[Crop]] = defaultdict(list)
    for picture, pixels, reason in read_pictures(sorted(of_picture, key=str)):
        if pixels is None:
            unread[reason].extend(row.crop for row in of_picture[picture])
        else:
            yield Shown(pixels, of_picture[picture])
    for reason, crops in unread.items():
        leave_out(crops, "crops", f"their frames cannot be read: {reason}")
