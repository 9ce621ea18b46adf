"""supervision: embeddings beside its detections, for what reads them there.

Serves supervision 0.31.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Image,
    OnBad,
)

EMBEDDING = "embedding"
"""The key of features in ``Detections.data``."""


class DetectionAnnotator:
    """Puts features beside supervision's detections.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        color: what frames are, ``bgr`` (as supervision reads videos) or ``rgb``.
        on_bad: see `BoxFeatures`.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> annotate = DetectionAnnotator(extractor)
        >>> detections = annotate(detections, frame)
        >>> detections.data["embedding"].shape
        (5, 512)
    """

    def __init__(
        self, extractor: CropExtractor, *, color: str = "bgr", on_bad: OnBad = "blank"
    ) -> None:
        self.box_features = BoxFeatures(extractor, on_bad)
        self._color = color

    def __call__(self, detections: Any, frame: Image) -> Any:
        """Return the detections with ``data["embedding"]``, (N, D) of unit length.

        Args:
            detections: ``supervision.Detections``; they are not changed.
            frame: (H, W, 3) uint8.
        """
        rows = self.box_features.filled(frame, detections.xyxy, "xyxy", self._color)
        return replace(detections, data={**detections.data, EMBEDDING: rows})
