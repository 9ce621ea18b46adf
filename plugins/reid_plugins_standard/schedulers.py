"""The core's schedulers, each a factory ``(optimizer, *, stepsize, gamma, max_epoch)``.

A scheduler is stepped once an epoch, after the epoch.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR, StepLR

from reidcore.errors import ConfigError, counted, quoted

_log = logging.getLogger(f"reidcore.{__name__}")

Steps = int | Sequence[int]


def single_step(
    optimizer: Optimizer, *, stepsize: Steps = 1, gamma: float = 0.1, max_epoch: int = 1
) -> LRScheduler:
    """Multiply the rate by ``gamma`` every ``stepsize`` epochs; a list counts by its last entry."""
    steps = _steps("single_step", stepsize)
    if len(steps) > 1:
        _log.warning(
            "single_step uses the last of stepsize %s only: the rate falls every %s; "
            "train.lr_scheduler multi_step uses them all",
            steps,
            counted(steps[-1], "epoch"),
        )
    return StepLR(optimizer, step_size=steps[-1], gamma=gamma)


def multi_step(
    optimizer: Optimizer, *, stepsize: Steps, gamma: float = 0.1, max_epoch: int = 1
) -> LRScheduler:
    """Multiply the rate by ``gamma`` at each epoch that the list ``stepsize`` names."""
    if isinstance(stepsize, int):
        raise ConfigError(
            f"the scheduler multi_step needs a list of epochs, but stepsize is {quoted(stepsize)}",
            f"Write stepsize [{quoted(stepsize)}], or choose single_step",
        )
    return MultiStepLR(optimizer, milestones=_steps("multi_step", stepsize), gamma=gamma)


def cosine(
    optimizer: Optimizer, *, stepsize: Steps = 1, gamma: float = 0.1, max_epoch: int = 1
) -> LRScheduler:
    """Anneal the rate to zero over ``max_epoch`` epochs along half a cosine.

    Reference: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """
    if max_epoch < 1:
        raise ConfigError(
            f"the scheduler cosine needs max_epoch of at least 1, not {quoted(max_epoch)}"
        )
    return CosineAnnealingLR(optimizer, max_epoch)


def _steps(scheduler: str, stepsize: Any) -> list[int]:
    steps = list(stepsize) if isinstance(stepsize, list | tuple) else [stepsize]
    whole = all(isinstance(step, int) and not isinstance(step, bool) for step in steps)
    if not steps or not whole or min(steps) < 1:
        raise ConfigError(
            f"the scheduler {scheduler} needs stepsize in whole epochs of at least 1, "
            f"not {quoted(stepsize)}",
            "For example stepsize 20, or for multi_step [20, 40]",
        )
    return steps
