"""norfair: embeddings of its detections, and the distance between them.

Serves norfair 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Image,
    OnBad,
)
from reidcore.errors import DataError

UNKNOWN_DISTANCE = 1.0
"""The distance where one side has no embedding: that of features with nothing in common."""


class NorfairEmbedder:
    """Gives norfair's detections their embeddings.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        color: what frames are, ``bgr`` (as norfair's ``Video`` gives them) or ``rgb``.
        on_bad: see `BoxFeatures`; here a box that holds no pixel gets no embedding.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> embed = NorfairEmbedder(extractor)
        >>> tracker = Tracker("iou", 0.7, reid_distance_function=cosine_distance,
        ...                   reid_distance_threshold=0.4, reid_hit_counter_max=100)
        >>> tracked = tracker.update(embed(frame, detections))
    """

    def __init__(
        self, extractor: CropExtractor, *, color: str = "bgr", on_bad: OnBad = "blank"
    ) -> None:
        self.box_features = BoxFeatures(extractor, on_bad)
        self._color = color

    def __call__(self, frame: Image, detections: Sequence[Any]) -> Sequence[Any]:
        """Set ``embedding`` of each detection, and return them.

        Args:
            frame: (H, W, 3) uint8.
            detections: norfair's ``Detection``; ``points`` are two corners, (2, 2).

        Raises:
            DataError: if a detection's points are no two corners.
        """
        boxes = [_box(detection, place) for place, detection in enumerate(detections)]
        rows, held = self.box_features.of(frame, boxes, "xyxy", self._color)
        for detection, row, is_held in zip(detections, rows, held, strict=True):
            detection.embedding = row if is_held else None
        return detections


def cosine_distance(new: Any, known: Any) -> float:
    """Return the least cosine distance of a detection or an object to those of a known object.

    For norfair's ``distance_function`` and ``reid_distance_function``.

    Args:
        new: a ``Detection``, or a ``TrackedObject``, of which the last detection counts.
        known: a ``TrackedObject``; its last and its past detections count.

    Returns:
        0 for equal directions up to 2 for opposite ones; 1 where either side has no embedding.
    """
    wanted = getattr(getattr(new, "last_detection", new), "embedding", None)
    others = list(_embeddings(known))
    if wanted is None or not others:
        return UNKNOWN_DISTANCE
    return float(1 - (np.stack(others) @ wanted).max())


def _embeddings(known: Any) -> Iterator[npt.NDArray[np.float32]]:
    for detection in (known.last_detection, *known.past_detections):
        if detection.embedding is not None:
            yield detection.embedding


def _box(detection: Any, place: int) -> list[float]:
    """Return left, top, right and bottom of a detection's two corners, whichever they are."""
    points = np.asarray(detection.points, dtype=np.float64)
    if points.shape != (2, 2):
        raise DataError(
            f"detection {place} has points {points.shape}: no box",
            "Give two corners: Detection(np.array([[left, top], [right, bottom]])).",
        )
    return [*points.min(axis=0), *points.max(axis=0)]
