"""Models: the contract they keep, how they are built, and how weights get into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.models.adapt import outputs_of as outputs_of
    from reidcore.models.build import build_model as build_model
    from reidcore.models.build import show_avai_models as show_avai_models
    from reidcore.models.contract import Outputs as Outputs
    from reidcore.models.contract import ReidModel as ReidModel
    from reidcore.models.head.attaching import attach_head as attach_head
    from reidcore.models.initialising import initialise as initialise
    from reidcore.models.pretrained import load_published_weights as load_published_weights
    from reidcore.models.weights.exporting import save_weights as save_weights
    from reidcore.models.weights.loading import load_pretrained_weights as load_pretrained_weights
    from reidcore.models.wrapping import unwrap as unwrap

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Outputs": "reidcore.models.contract:Outputs",
        "ReidModel": "reidcore.models.contract:ReidModel",
        "attach_head": "reidcore.models.head.attaching:attach_head",
        "build_model": "reidcore.models.build:build_model",
        "initialise": "reidcore.models.initialising:initialise",
        "load_pretrained_weights": "reidcore.models.weights.loading:load_pretrained_weights",
        "load_published_weights": "reidcore.models.pretrained:load_published_weights",
        "outputs_of": "reidcore.models.adapt:outputs_of",
        "save_weights": "reidcore.models.weights.exporting:save_weights",
        "show_avai_models": "reidcore.models.build:show_avai_models",
        "unwrap": "reidcore.models.wrapping:unwrap",
    },
)
