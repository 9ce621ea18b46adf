"""Weights: where they are published, how they get here, and into a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.models.weights.cache import WeightsStore as WeightsStore
    from reidcore.models.weights.cache import weights_dir as weights_dir
    from reidcore.models.weights.catalog import PublishedWeights as PublishedWeights
    from reidcore.models.weights.catalog import find_published as find_published
    from reidcore.models.weights.catalog import published_weights as published_weights
    from reidcore.models.weights.export import export_weights as export_weights
    from reidcore.models.weights.export import save_weights as save_weights
    from reidcore.models.weights.load import LoadedWeights as LoadedWeights
    from reidcore.models.weights.load import load_pretrained_weights as load_pretrained_weights

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "LoadedWeights": "reidcore.models.weights.load:LoadedWeights",
        "PublishedWeights": "reidcore.models.weights.catalog:PublishedWeights",
        "export_weights": "reidcore.models.weights.export:export_weights",
        "find_published": "reidcore.models.weights.catalog:find_published",
        "load_pretrained_weights": "reidcore.models.weights.load:load_pretrained_weights",
        "published_weights": "reidcore.models.weights.catalog:published_weights",
        "WeightsStore": "reidcore.models.weights.cache:WeightsStore",
        "save_weights": "reidcore.models.weights.export:save_weights",
        "weights_dir": "reidcore.models.weights.cache:weights_dir",
    },
)
