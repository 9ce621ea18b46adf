"""Ultralytics: the encoder of its trackers, in place of the one that a configuration names.

Serves Ultralytics 8.4; nothing of it is imported, for its licence is AGPL-3.0. An exported file
needs no code at all: see ``docs/trackers.md``.
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


class UltralyticsEncoder:
    """Features as Ultralytics' trackers ask for them.

    Set it as ``tracker.encoder``. Boxes are cut as they are; Ultralytics' own encoder cuts a box
    times ``gain=1.02`` plus ``pad=10`` pixels, and so it does for an exported file. The same two
    numbers give the same crops here.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        gain: what a box's width and height are multiplied with.
        pad: pixels that are added to them then.
        on_bad: see `BoxFeatures`; here a box that holds no pixel gets None, which these trackers
            take for "no appearance".

    Example:
        >>> tracker.encoder = UltralyticsEncoder(extractor)
    """

    def __init__(
        self,
        extractor: CropExtractor,
        *,
        gain: float = 1.0,
        pad: float = 0.0,
        on_bad: OnBad = "blank",
    ) -> None:
        self._features = BoxFeatures(extractor, on_bad)
        self._gain, self._pad = gain, pad

    def __call__(self, image: Image, boxes: Any) -> list[Features | None]:
        """Return a feature (D,) for each box, or None where it holds no pixel.

        Args:
            image: (H, W, 3) uint8, BGR.
            boxes: (N, 4) or more columns, beginning with centre, width and height.
        """
        rows = first_four(boxes)  # (N, 4)
        wider = np.hstack([rows[:, :2], rows[:, 2:] * self._gain + self._pad])
        features, held = self._features.of(image, wider, "xywh", "bgr")
        return [row if is_held else None for row, is_held in zip(features, held, strict=True)]
