"""Features of images with a trained model, outside of any dataset."""

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.inference.extractor import FeatureExtractor as FeatureExtractor

__getattr__, __dir__, __all__ = attach(
    __name__, {"FeatureExtractor": "reidcore.inference.extractor:FeatureExtractor"}
)
