"""BoxMOT: the appearance model of its trackers, and of its pipelines.

Serves BoxMOT 25; nothing of it is imported, for its licence is AGPL-3.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_trackers.box_features import (
    BoxFeatures,
    CropExtractor,
    Features,
    Image,
    OnBad,
    rows_of_numbers,
)
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    from torch import Tensor

# Columns of a row: the box, the box with score and class, and with track and place besides.
_UPRIGHT, _ORIENTED = (4, 6, 8), (5, 7, 9)


class Requirements(NamedTuple):
    """What an encoder must be given beside boxes, as BoxMOT asks.

    Attributes:
        masks: whether it needs masks.
    """

    masks: bool = False


class BoxmotEncoder:
    """Features as BoxMOT asks for them: by ``get_features``, and as an ``AppearanceEncoder``.

    A tracker takes it as ``reid_model=``, and ``boxmot.reid.core.ReID.from_backend`` wraps it.
    BoxMOT's pipelines insist on requirements of their own class: give them one.

    Oriented boxes are widened to the upright ones around them, which is logged once.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        requirements: BoxMOT's ``EncoderRequirements()``, for its pipelines.
        on_bad: see `BoxFeatures`. BoxMOT refuses rows of zeros.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.

    Example:
        >>> tracker = BotSort(reid_model=BoxmotEncoder(extractor))
        >>> tracks = tracker.update(detections, frame)
    """

    def __init__(
        self,
        extractor: CropExtractor,
        *,
        requirements: Any = Requirements(),  # noqa: B008 (it holds a constant)
        on_bad: OnBad = "blank",
    ) -> None:
        self.requirements = requirements
        self.box_features = BoxFeatures(extractor, on_bad)

    @property
    def embedding_dim(self) -> int:
        """D, the length of a feature."""
        return self.box_features.feature_dim

    def get_features(self, boxes: Any, image: Image) -> Features:
        """Return the features (N, D) of an image's boxes.

        Args:
            boxes: (N, 4), (N, 6) or (N, 8) beginning with left, top, right and bottom; or (N, 5),
                (N, 7) or (N, 9) beginning with centre, width, height and angle in radians.
            image: (H, W, 3) uint8, BGR.

        Raises:
            DataError: if the boxes have another number of columns, or the image is none.
        """
        return self.box_features.filled(image, self._upright(boxes), "xyxy", "bgr")

    def encode(self, frames: Sequence[Any], detections: Sequence[Any]) -> list[Tensor]:
        """Return the features of several frames' detections, one (N, D) on the CPU for each frame.

        Args:
            frames: BoxMOT's ``Frame``; ``image`` is (3, H, W) uint8, RGB.
            detections: BoxMOT's ``Detections``, one for each frame; ``geometry.values`` is (N, 4)
                or (N, 5), as the boxes of ``get_features``.

        Raises:
            UserError: if these are not as many as those.
        """
        import torch

        if len(frames) != len(detections):
            raise UserError(
                f"{counted(len(frames), 'frame')}, detections of {len(detections)}",
                "Give detections for each frame.",
            )
        encoded = []
        for frame, found in zip(frames, detections, strict=True):
            image = np.ascontiguousarray(frame.image.permute(1, 2, 0).numpy())  # (H, W, 3)
            boxes = self._upright(found.geometry.values.numpy())
            encoded.append(torch.from_numpy(self.box_features.filled(image, boxes, "xyxy", "rgb")))
        return encoded

    def _upright(self, boxes: Any) -> npt.NDArray[np.float64]:
        """Return left, top, right and bottom of boxes in any of BoxMOT's forms, (N, 4)."""
        rows = rows_of_numbers(boxes)
        columns = rows.shape[-1]
        if rows.ndim != 2 or columns not in _UPRIGHT + _ORIENTED:
            raise DataError(
                f"the boxes are {rows.shape}",
                "Give (N, 4), (N, 6) or (N, 8) upright ones, or (N, 5), (N, 7) or (N, 9) oriented.",
            )
        if columns in _UPRIGHT:
            return rows[:, :4]
        return self.box_features.upright(rows[:, :5])
