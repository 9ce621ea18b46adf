"""Optimizers, learning-rate schedulers and parameter groups."""

from __future__ import annotations

from reidcore.optim.build import build_lr_scheduler, build_optimizer
from reidcore.optim.groups import parameter_groups
from reidcore.optim.pacing import PacedScheduler

__all__ = ["PacedScheduler", "build_lr_scheduler", "build_optimizer", "parameter_groups"]
