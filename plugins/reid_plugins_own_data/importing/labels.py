"""Whom crops show and which camera saw them, as the column texts of one table.

Identities of two classes, and tracks of two sequences, never share a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
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
        self._used: dict[str, int] = defaultdict(lambda: 1)

    def of(self, key: Key, wished: str) -> str:
        """Return the text of a key."""
        if key not in self._given:
            text = wished
            while self._compared(text) in self._taken:
                self._used[wished] += 1
                text = f"{wished}_{self._used[wished]}"
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
    identities = _identities(crops, shared_ids)
    classes: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for crop, identity in zip(crops, identities, strict=True):
        classes[identity].add(crop.category)
    clash = any(len(each) > 1 for each in classes.values())
    pids: Names[tuple[str, ...]] = Names()
    cameras = [camera or crop.camid or crop.sequence for crop in crops]
    unknown = _UNKNOWN_CAMERA if any(cameras) else ""
    _tell_unknown(crops, cameras)
    rows = []
    for crop, identity, camid in zip(crops, identities, cameras, strict=True):
        key = (crop.category if clash else "", *identity)
        rows.append(Labelled(crop, pids.of(key, "-".join(filter(None, key))), camid or unknown))
    return rows


def _identities(crops: Sequence[Crop], shared_ids: bool) -> list[tuple[str, str]]:
    """Return of each crop the sequence and track, or nothing and the identity, that tell it."""
    apart = len({crop.sequence for crop in crops if not crop.pid}) > 1 and not shared_ids
    return [
        ("", crop.pid) if crop.pid else (crop.sequence if apart else "", crop.track)
        for crop in crops
    ]


def _tell_unknown(crops: Sequence[Crop], cameras: Sequence[str]) -> None:
    unknown = [crop for crop, camid in zip(crops, cameras, strict=True) if not camid]
    if 0 < len(unknown) < len(crops):
        leave_out(unknown, "cameras", f"not said: {_UNKNOWN_CAMERA!r} is written", total=len(crops))
