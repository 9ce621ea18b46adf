"""libreyolo: the embedder of its Deep OC-SORT.

Serves libreyolo 1.6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Features,
    Image,
    OnBad,
    first_four,
)


class LibreYoloEmbedder:
    """Features as libreyolo asks for them: of an RGB image's boxes, by a call.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        on_bad: see `BoxFeatures`.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> tracker = DeepOCSortTracker(embedder=LibreYoloEmbedder(extractor))
        >>> tracked = tracker.update(results, image)
    """

    def __init__(self, extractor: CropExtractor, *, on_bad: OnBad = "blank") -> None:
        self.box_features = BoxFeatures(extractor, on_bad)

    def __call__(self, image: Image, boxes: Any) -> Features:
        """Return the features (N, D) of an image's boxes, of unit length.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (N, 4) or more columns, beginning with left, top, right and bottom.
        """
        return self.box_features.filled(np.asarray(image), first_four(boxes), "xyxy", "rgb")
