"""Features of images with a trained model, outside of any dataset."""

from __future__ import annotations

from reidcore.inference.backend import Backend
from reidcore.inference.boxes import boxes_as_xyxy, cut_crops
from reidcore.inference.checkpoint_metadata import CheckpointMetadata, read_metadata
from reidcore.inference.extractor import (
    ExtractedBatch,
    FeatureExtractor,
    features_in_boxes,
    pick_device,
)
from reidcore.inference.folding import ValueReads
from reidcore.inference.precision import check_closeness, probe_images

__all__ = [
    "Backend",
    "CheckpointMetadata",
    "ExtractedBatch",
    "FeatureExtractor",
    "ValueReads",
    "boxes_as_xyxy",
    "check_closeness",
    "cut_crops",
    "features_in_boxes",
    "pick_device",
    "probe_images",
    "read_metadata",
]
