"""Models: the contract they keep, how they are built, and how weights get into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.models.adapter import adapted, features_of, outputs_of, wanted_columns
    from reidcore.models.build import build_model, show_avai_models
    from reidcore.models.build_args import build_args_of
    from reidcore.models.head.build import attach_head
    from reidcore.models.head.slot import batch_norm_neck, linear_classifier
    from reidcore.models.init import initialise
    from reidcore.models.layers import require_layers, unwrap
    from reidcore.models.reid_model import Outputs, ReidModel, usual_size
    from reidcore.models.weights.cache import WeightsStore
    from reidcore.models.weights.catalog import PublishedWeights, find_published, published_weights
    from reidcore.models.weights.files import read_weights
    from reidcore.models.weights.key_maps import WeightsLayout
    from reidcore.models.weights.load import load_pretrained_weights, load_published_weights
    from reidcore.models.weights.record import record_of
    from reidcore.models.weights.trained import TrainedWith, trained_with
    from reidcore.plugins.bundled import (
        USUAL_CLASSES,
        ModelSummary,
        export_weights,
        save_weights,
        summarize,
    )

__all__ = [
    "ModelSummary",
    "Outputs",
    "PublishedWeights",
    "ReidModel",
    "TrainedWith",
    "USUAL_CLASSES",
    "WeightsLayout",
    "WeightsStore",
    "adapted",
    "attach_head",
    "batch_norm_neck",
    "build_args_of",
    "build_model",
    "export_weights",
    "features_of",
    "find_published",
    "initialise",
    "linear_classifier",
    "load_pretrained_weights",
    "load_published_weights",
    "outputs_of",
    "published_weights",
    "read_weights",
    "record_of",
    "require_layers",
    "save_weights",
    "show_avai_models",
    "summarize",
    "trained_with",
    "unwrap",
    "usual_size",
    "wanted_columns",
]

__getattr__, __dir__ = attach(__name__)
