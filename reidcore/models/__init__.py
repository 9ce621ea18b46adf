"""Models: the contract they keep, how they are built, and how weights get into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.models.adapter import outputs_of as outputs_of
    from reidcore.models.build import build_model as build_model
    from reidcore.models.build import show_avai_models as show_avai_models
    from reidcore.models.head.build import attach_head as attach_head
    from reidcore.models.head.slot import linear_classifier as linear_classifier
    from reidcore.models.init import initialise as initialise
    from reidcore.models.layers import unwrap as unwrap
    from reidcore.models.pretrained import load_published_weights as load_published_weights
    from reidcore.models.reid_model import Outputs as Outputs
    from reidcore.models.reid_model import ReidModel as ReidModel
    from reidcore.models.weights.export import save_weights as save_weights
    from reidcore.models.weights.load import load_pretrained_weights as load_pretrained_weights

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Outputs": "reidcore.models.reid_model:Outputs",
        "ReidModel": "reidcore.models.reid_model:ReidModel",
        "attach_head": "reidcore.models.head.build:attach_head",
        "build_model": "reidcore.models.build:build_model",
        "initialise": "reidcore.models.init:initialise",
        "linear_classifier": "reidcore.models.head.slot:linear_classifier",
        "load_pretrained_weights": "reidcore.models.weights.load:load_pretrained_weights",
        "load_published_weights": "reidcore.models.pretrained:load_published_weights",
        "outputs_of": "reidcore.models.adapter:outputs_of",
        "save_weights": "reidcore.models.weights.export:save_weights",
        "show_avai_models": "reidcore.models.build:show_avai_models",
        "unwrap": "reidcore.models.layers:unwrap",
    },
)
