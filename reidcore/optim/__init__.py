"""Optimizers, learning-rate schedulers and parameter groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.optim.build import build_lr_scheduler as build_lr_scheduler
    from reidcore.optim.build import build_optimizer as build_optimizer
    from reidcore.optim.groups import parameter_groups as parameter_groups

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "build_lr_scheduler": "reidcore.optim.build:build_lr_scheduler",
        "build_optimizer": "reidcore.optim.build:build_optimizer",
        "parameter_groups": "reidcore.optim.groups:parameter_groups",
    },
)
