"""Whom crops show and which camera saw them, as the column texts of one table.

Identities of two classes, and tracks of two sequences, never share a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reid_plugins_own_data.crop import Crop
from reidcore.data import leave_out

Key = TypeVar("Key")

_UNKNOWN_CAMERA = "unknown"


class Names(Generic[Key]):
    """Gives each key a text of its own: the one that is wished, numbered where another has it.

    Args:
        compared: what of a text must differ; all of it by default.
    """

    def __init__(self, compared: Callable[[str], str] = str) -> None:
        self._compared = compared
        self._given: dict[Key, str] = {}
        self._taken: set[str] = set()

    def of(self, key: Key, wished: str) -> str:
        """Return the text of a key."""
        if key not in self._given:
            text, number = wished, 1
            while self._compared(text) in self._taken:
                number += 1
                text = f"{wished}_{number}"
            self._taken.add(self._compared(text))
            self._given[key] = text
        return self._given[key]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A crop with the texts of its row.

    Attributes:
        crop: what the importer gave.
        pid: the identity.
        camid: the camera; empty if no crop of the table has one.
    """

    crop: Crop
    pid: str
    camid: str


def labelled(crops: Sequence[Crop], camera: str = "", shared_ids: bool = False) -> list[Labelled]:
    """Return crops with the identities and cameras that stand in a table.

    Args:
        crops: all of a table.
        camera: the camera of all of them; by default each crop's own, or its sequence.
        shared_ids: whether a track number means the same identity in all sequences.
    """
    several = len({crop.sequence for crop in crops if not crop.pid}) > 1 and not shared_ids
    clash = _clashing_classes(crops)
    pids: Names[tuple[str, ...]] = Names()
    cameras = [camera or crop.camid or crop.sequence for crop in crops]
    unknown = _UNKNOWN_CAMERA if any(cameras) else ""
    _tell_unknown(crops, cameras)
    rows = []
    for crop, camid in zip(crops, cameras, strict=True):
        key = (
            crop.category if clash else "",
            crop.sequence if several and not crop.pid else "",
            crop.pid or crop.track,
        )
        rows.append(Labelled(crop, pids.of(key, "-".join(filter(None, key))), camid or unknown))
    return rows


def _clashing_classes(crops: Iterable[Crop]) -> bool:
    """Say whether one name stands for things of several classes."""
    classes = defaultdict(set)
    for crop in crops:
        classes[crop.pid or (crop.sequence, crop.track)].add(crop.category)
    return any(len(each) > 1 for each in classes.values())


def _tell_unknown(crops: Sequence[Crop], cameras: Sequence[str]) -> None:
    unknown = [crop for crop, camid in zip(crops, cameras, strict=True) if not camid]
    if 0 < len(unknown) < len(crops):
        leave_out(unknown, "cameras", f"not said: {_UNKNOWN_CAMERA!r} is written", total=len(crops))
