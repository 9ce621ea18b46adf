"""Weights: where they are published, how they get here, and into a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.models.weights.exporting import export_weights as export_weights
    from reidcore.models.weights.exporting import save_weights as save_weights
    from reidcore.models.weights.loading import LoadedWeights as LoadedWeights
    from reidcore.models.weights.loading import load_pretrained_weights as load_pretrained_weights
    from reidcore.models.weights.published import PublishedWeights as PublishedWeights
    from reidcore.models.weights.published import find_published as find_published
    from reidcore.models.weights.published import published_weights as published_weights
    from reidcore.models.weights.store import WeightsStore as WeightsStore
    from reidcore.models.weights.store import weights_dir as weights_dir

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "LoadedWeights": "reidcore.models.weights.loading:LoadedWeights",
        "PublishedWeights": "reidcore.models.weights.published:PublishedWeights",
        "export_weights": "reidcore.models.weights.exporting:export_weights",
        "find_published": "reidcore.models.weights.published:find_published",
        "load_pretrained_weights": "reidcore.models.weights.loading:load_pretrained_weights",
        "published_weights": "reidcore.models.weights.published:published_weights",
        "WeightsStore": "reidcore.models.weights.store:WeightsStore",
        "save_weights": "reidcore.models.weights.exporting:save_weights",
        "weights_dir": "reidcore.models.weights.store:weights_dir",
    },
)
