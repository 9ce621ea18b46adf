"""Features of images with a trained model, outside of any dataset."""

from __future__ import annotations

from reidcore.inference.checkpoint_metadata import CheckpointMetadata, read_metadata
from reidcore.inference.extractor import FeatureExtractor, pick_device

__all__ = [
    "CheckpointMetadata",
    "FeatureExtractor",
    "pick_device",
    "read_metadata",
]
