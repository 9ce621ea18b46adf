"""Ultralytics: the encoder of its trackers, in place of the one that a configuration names.

Serves Ultralytics 8.4; nothing of it is imported, for its licence is AGPL-3.0. An exported file
needs no code at all: see ``docs/trackers.md``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Features,
    Image,
    OnBad,
    first_four,
    rows_of_numbers,
)
from reidcore.errors import UserError
from reidcore.inference import boxes_as_xyxy

# Columns of an oriented box: its centre, width, height, angle and place.
_ORIENTED = 6


class UltralyticsEncoder:
    """Features as Ultralytics' trackers ask for them.

    Boxes are cut as they are; Ultralytics' own encoder cuts a box times ``gain=1.02`` plus
    ``pad=10`` pixels, and so it does for an exported file. The same two numbers give the same
    crops here, but for a pixel: Ultralytics cuts fractions off.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        gain: what a box's width and height are multiplied with.
        pad: pixels that are added to them then.
        on_bad: see `BoxFeatures`; here a box that holds no pixel gets None, which these trackers
            take for "no appearance".

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> encoder = UltralyticsEncoder(extractor)
        >>> encoder.attach_to(tracker)
    """

    def __init__(
        self,
        extractor: CropExtractor,
        *,
        gain: float = 1.0,
        pad: float = 0.0,
        on_bad: OnBad = "blank",
    ) -> None:
        self.box_features = BoxFeatures(extractor, on_bad)
        self._gain, self._pad = gain, pad

    def __call__(self, image: Image, boxes: Any) -> list[Features | None]:
        """Return a feature (D,) for each box, or None where it holds no pixel.

        Args:
            image: (H, W, 3) uint8, BGR.
            boxes: (N, 5), centre, width, height and a number of Ultralytics' own, or without it;
                or (N, 6), with the angle in radians before that number. Oriented boxes are widened
                to the upright ones around them, which is logged once.
        """
        features, held = self.box_features.of(image, self._corners(boxes), "xyxy", "bgr")
        return [row if is_held else None for row, is_held in zip(features, held, strict=True)]

    def attach_to(self, tracker: Any) -> None:
        """Make a tracker (BoT-SORT, Deep OC-SORT, TrackTrack) ask this for features.

        Its configuration may say ``with_reid: False`` and ``model: auto``. The latter stands for
        the detector's own features, and a tracker under it gives an encoder no frame.

        Args:
            tracker: with ``args`` and ``encoder``.

        Raises:
            UserError: if it has none, as ByteTrack.
        """
        if not hasattr(tracker, "encoder"):
            raise UserError(
                f"{type(tracker).__name__} does not use features",
                "Choose tracker_type botsort, deepocsort or tracktrack.",
            )
        tracker.args.with_reid = True
        tracker.args.model = type(self).__name__
        tracker.encoder = self

    def _corners(self, boxes: Any) -> npt.NDArray[np.float64]:
        """Return left, top, right and bottom of boxes with their margin, (N, 4)."""
        rows = rows_of_numbers(boxes)
        is_oriented = rows.shape[-1] == _ORIENTED
        rows = (rows[:, :5] if is_oriented else first_four(rows)).copy()
        rows[:, 2:4] = rows[:, 2:4] * self._gain + self._pad
        return self.box_features.upright(rows) if is_oriented else boxes_as_xyxy(rows, "xywh")
