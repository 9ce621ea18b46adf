"""What a tracker of one camera alone would tell of it: local numbers, gaps and shaky boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from reid_plugins_synthetic.scene.filming import Box

_DETECTED = 0.35  # visibility from which a detector finds somebody
_MISSED = 0.04  # share of boxes that it misses all the same
_PATIENCE = 1.0  # seconds without a box after which a track has ended
_SHAKE = 0.02  # standard deviation of a box's edges, as a share of its height


class Tracked(NamedTuple):
    """One box of a track.

    Attributes:
        frame: number of the frame, base 1.
        track: number of the track within its camera, base 1.
        left: column of the box's left edge, in pixels.
        top: row of its upper edge.
        width: in pixels.
        height: in pixels.
        confidence: of the detector, 0 to 1.
    """

    frame: int
    track: int
    left: float
    top: float
    width: float
    height: float
    confidence: float


@dataclass
class _Followed:
    track: int
    last: int


class Tracker:
    """Turns true boxes into tracks, as a detector and tracker of one camera would find them.

    Somebody hidden for a second, or lost by chance, gets a new number afterwards.

    Args:
        fps: frames a second.
        fragments: mean number of losses by chance, a minute of each person's presence.
        random: the stream to draw from.
    """

    def __init__(self, fps: int, fragments: float, random: Random) -> None:
        self._patience = max(1, round(_PATIENCE * fps))
        self._lost = fragments / 60 / fps
        self._random = random
        self._followed: dict[int, _Followed] = {}
        self._count = 0

    def follow(self, boxes: Iterable[Box]) -> Iterator[Tracked]:
        """Yield what is told of the boxes of one frame."""
        for box in boxes:
            shakes = [self._random.gauss(0, _SHAKE * box.height) for _ in range(4)]
            is_found = box.visibility >= _DETECTED and self._random.random() >= _MISSED
            is_lost = self._random.random() < self._lost
            confidence = min(0.99, 0.45 + 0.5 * box.visibility + self._random.uniform(-0.05, 0.05))
            if not is_found:
                continue
            left, top = box.left + shakes[0], box.top + shakes[1]
            width = max(2.0, box.width + shakes[2])
            height = max(2.0, box.height + shakes[3])
            yield Tracked(
                box.frame, self._number(box, is_lost), left, top, width, height, confidence
            )

    def _number(self, box: Box, is_lost: bool) -> int:
        known = self._followed.get(box.person)
        if known is None or is_lost or box.frame - known.last > self._patience:
            self._count += 1
            known = self._followed[box.person] = _Followed(self._count, box.frame)
        known.last = box.frame
        return known.track
