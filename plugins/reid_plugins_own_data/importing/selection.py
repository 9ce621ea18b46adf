"""Which crops of a source are wanted: by class, visibility and size, and a share of each track."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reid_plugins_own_data.crop import Box, Crop
from reidcore.data import JUNK_PID, leave_out
from reidcore.errors import UnknownNameError, did_you_mean

_log = logging.getLogger(f"reidcore.{__name__}")


@dataclass(frozen=True)
class Selection:
    """What is kept of the crops of a source.

    Attributes:
        every: of each track one in so many crops, by frame, from its first on.
        max_per_track: at most so many of each track, evenly spread; 0 for all.
        min_size: least width and height of a box in pixels.
        min_visibility: least share that is not hidden; crops of which nobody knows it are kept.
        classes: names of classes; none for all.
    """

    every: int = 1
    max_per_track: int = 0
    min_size: tuple[int, int] = (1, 1)
    min_visibility: float = 0.0
    classes: tuple[str, ...] = ()

    def of(self, crops: Iterable[Crop]) -> list[Crop]:
        """Return the crops that are wanted; the others are counted by reason, and told.

        Raises:
            UnknownNameError: there is nothing of a class.
        """
        kept: list[Crop] = []
        unwanted: dict[str, list[Crop]] = defaultdict(list)
        categories: dict[str, None] = {}
        for crop in crops:
            categories[crop.category] = None
            reason = self._reason_against(crop)
            (unwanted[reason] if reason else kept).append(crop)
        self._check_classes(categories)
        if self.min_visibility and kept and all(crop.visibility is None for crop in kept):
            _log.warning("Nothing says how much of anything is visible: no crop is left out for it")
        for reason, some in unwanted.items():
            leave_out(some, "crops", reason, expected=reason not in _MISTAKES)
        return self._thinned(kept)

    def _reason_against(self, crop: Crop) -> str:
        if (crop.pid or crop.track).strip() == str(JUNK_PID):
            return f"of identity {JUNK_PID}"
        if not (crop.pid or crop.track):
            return _NOBODY
        if self.classes and crop.category not in self.classes:
            return f"of other classes than {', '.join(self.classes)}"
        if crop.visibility is not None and crop.visibility < self.min_visibility:
            return f"visible to less than {self.min_visibility:g}"
        return _fault_of(crop.box, self.min_size) if crop.box is not None else ""

    def _check_classes(self, there: Iterable[str]) -> None:
        named = [category for category in there if category]
        for category in self.classes:
            if category not in named:
                listed = f"There are {', '.join(named)}" if named else "It names no classes at all"
                raise UnknownNameError(
                    f"the source has no class {category!r}",
                    f"{did_you_mean(category, named)} {listed}.".strip(),
                )

    def _thinned(self, crops: Sequence[Crop]) -> list[Crop]:
        """Return a share of each track, in the order of the crops."""
        if self.every == 1 and not self.max_per_track:
            return list(crops)
        tracks: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, crop in enumerate(crops):
            who = (crop.track, crop.pid, crop.category)
            tracks[(crop.sequence, crop.camid, *who)].append(place)
        wanted: set[int] = set()
        for places in tracks.values():
            in_time = sorted(places, key=lambda place: _time_of(crops[place]))
            thinned = in_time[:: self.every]
            wanted.update(_spread(thinned, self.max_per_track or len(thinned)))
        rest = [crop for place, crop in enumerate(crops) if place not in wanted]
        leave_out(rest, "crops", "of frames between those that are wanted", expected=True)
        return [crop for place, crop in enumerate(crops) if place in wanted]


_NOBODY = "nothing says whom they show"
_NO_AREA = "their boxes have no area"
_MISTAKES = (_NOBODY, _NO_AREA)


def _fault_of(box: Box, min_size: tuple[int, int]) -> str:
    _, _, width, height = box
    if not all(map(math.isfinite, box)) or width <= 0 or height <= 0:
        return _NO_AREA
    if width < min_size[0] or height < min_size[1]:
        return too_small(min_size)
    return ""


def too_small(min_size: tuple[int, int]) -> str:
    """Return the reason against crops that are smaller than a width and height."""
    return f"smaller than {min_size[0]}x{min_size[1]} pixels"


def _time_of(crop: Crop) -> tuple[int, str]:
    return (-1 if crop.frame is None else crop.frame, str(crop.picture))


def _spread(places: Sequence[int], most: int) -> list[int]:
    """Return at most so many places, evenly spread, each from the middle of its part."""
    if len(places) <= most:
        return list(places)
    return [places[(2 * part + 1) * len(places) // (2 * most)] for part in range(most)]
