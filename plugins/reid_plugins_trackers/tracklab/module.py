"""The module that tracklab's configuration names. tracklab is imported, as it imports this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from tracklab.pipeline import DetectionLevelModule

from reid_plugins_trackers.box_features import BoxFeatures, Image, OnBad
from reidcore.errors import DataError
from reidcore.inference import FeatureExtractor, cut_crops

if TYPE_CHECKING:
    import pandas as pd

Crop = tuple[Any, Image]


def as_lists(samples: Sequence[Crop]) -> tuple[list[Any], list[Image]]:
    """Return the indices of detections and their crops, which are of different sizes."""
    indices, crops = zip(*samples, strict=True)
    return list(indices), list(crops)


class ReidModule(DetectionLevelModule):  # type: ignore[misc] # tracklab is untyped
    """Gives each detection its embedding, (1, D), and the visibility of that one part, (1,).

    Args:
        model_path: a checkpoint, or an exported file.
        device: tracklab's.
        model_name: a registered model's name, where the file does not tell it.
        batch_size: detections at a time.
        on_bad: see `BoxFeatures`.
        extractor: further options of `FeatureExtractor`.
        **others: what tracklab gives every module; unused.

    Attributes:
        box_features: what makes the features; ``blank_count`` of it counts boxes without a pixel.
    """

    collate_fn = staticmethod(as_lists)
    input_columns: ClassVar[list[str]] = ["bbox_ltwh"]
    output_columns: ClassVar[list[str]] = ["embeddings", "visibility_scores"]

    def __init__(
        self,
        model_path: str,
        device: str = "cpu",
        *,
        model_name: str = "",
        batch_size: int = 32,
        on_bad: OnBad = "blank",
        extractor: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(batch_size)
        made = FeatureExtractor(model_name, model_path, device=device, **(extractor or {}))
        self.box_features = BoxFeatures(made, on_bad)

    def __getstate__(self) -> dict[str, Any]:
        """Workers cut crops; the network stays where it is."""
        return {**self.__dict__, "box_features": None}

    def preprocess(self, image: Image, detection: pd.Series[Any], metadata: Any) -> Image:
        """Return the crop of a detection, (h, w, 3) RGB; empty where its box holds no pixel.

        Args:
            image: (H, W, 3) uint8, RGB.
            detection: with ``bbox_ltwh``.
            metadata: of the image; unused.
        """
        bad: dict[int, DataError] = {}
        crops = cut_crops(image, detection.bbox_ltwh, "ltwh", "rgb", bad.__setitem__)
        return np.zeros((0, 0, 3), dtype=np.uint8) if bad else crops[0]

    def process(
        self, batch: list[Image], detections: pd.DataFrame, metadatas: pd.DataFrame
    ) -> pd.DataFrame:
        """Return embeddings and visibility of a batch of detections, in their order.

        Args:
            batch: their crops.
            detections: whose index the answer has.
            metadatas: of their images; unused.
        """
        import pandas as pd

        rows = self.box_features.of_crops(batch, "rgb")
        return pd.DataFrame(
            {
                "embeddings": [row[None] for row in rows],
                "visibility_scores": [np.ones(1, dtype=np.float32) for _ in rows],
            },
            index=detections.index,
        )
