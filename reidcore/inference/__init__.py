"""Features of images with a trained model, outside of any dataset."""

from __future__ import annotations

from reidcore.inference.extractor import FeatureExtractor, pick_device

__all__ = [
    "FeatureExtractor",
    "pick_device",
]
