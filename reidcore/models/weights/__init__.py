"""Weights: where they are published, how they get here, and into a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.models.weights.cache import WeightsStore, weights_dir
    from reidcore.models.weights.catalog import PublishedWeights, find_published, published_weights
    from reidcore.models.weights.load import LoadedWeights, load_pretrained_weights

__all__ = [
    "LoadedWeights",
    "PublishedWeights",
    "WeightsStore",
    "find_published",
    "load_pretrained_weights",
    "published_weights",
    "weights_dir",
]

__getattr__, __dir__ = attach(__name__)
