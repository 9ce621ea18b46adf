"""deep-sort-realtime: vectors for its `update_tracks`, or an embedder in place of its own.

Serves deep-sort-realtime 1.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Features,
    Image,
    OnBad,
)


class DeepSortEmbedder:
    """Features as deep-sort-realtime asks for them: of boxes of a frame, or of crops.

    The tracker leaves boxes without width or height out, but not the vectors that it was given;
    ``embeds`` gives none for them, so that the others stay those of their boxes.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        color: what frames and crops are, ``bgr`` or ``rgb``.
        on_bad: see `BoxFeatures`.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> embedder = DeepSortEmbedder(extractor)
        >>> tracker = DeepSort(embedder=None)
        >>> tracks = tracker.update_tracks(found, embeds=embedder.embeds(frame, found))
    """

    def __init__(
        self, extractor: CropExtractor, *, color: str = "bgr", on_bad: OnBad = "blank"
    ) -> None:
        self.box_features = BoxFeatures(extractor, on_bad)
        self._color = color

    def embeds(self, frame: Image, raw_detections: Sequence[Any]) -> list[Features]:
        """Return a vector (D,) for each detection that the tracker will take.

        Args:
            frame: (H, W, 3) uint8.
            raw_detections: as for ``update_tracks``: ([left, top, width, height], score, class).
        """
        boxes = [raw[0] for raw in raw_detections if raw[0][2] > 0 and raw[0][3] > 0]
        return list(self.box_features.filled(frame, boxes, "ltwh", self._color))

    def predict(self, crops: Sequence[Image]) -> list[Features]:
        """Return a vector (D,) for each crop; the tracker calls this of its ``embedder``.

        Args:
            crops: (h, w, 3) uint8 each; an empty one counts as a box that holds no pixel.
        """
        return list(self.box_features.of_crops(crops, self._color))
