"""Schedulers by name, each a factory ``(optimizer, *, stepsize, gamma, max_epoch)``.

A scheduler is stepped once an epoch, after the epoch; or with each step of the optimizer, and then
``stepsize`` and ``max_epoch`` are given in steps.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    StepLR,
)

from reidcore.errors import ConfigError, counted, quoted

if TYPE_CHECKING:
    from reidcore.config import Config

_log = logging.getLogger(f"reidcore.{__name__}")

Steps = int | Sequence[int]

_RISE = 5
"""Epochs in which ``warmup_cosine`` rises unless it is told otherwise."""


def single_step(
    optimizer: Optimizer,
    *,
    stepsize: Steps = 1,
    gamma: float = 0.1,
    max_epoch: int = 1,
    steps_per_epoch: int = 1,
) -> LRScheduler:
    """Multiply the rate by ``gamma`` every ``stepsize`` epochs; a list counts by its last entry."""
    steps = _steps("single_step", stepsize)
    if len(steps) > 1:
        epochs = [step // steps_per_epoch for step in steps]
        _log.warning(
            "single_step uses the last of stepsize %s only: the rate falls every %s; "
            "train.lr_scheduler multi_step uses them all",
            epochs,
            counted(epochs[-1], "epoch"),
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


def cosine(optimizer: Optimizer, *, max_epoch: int = 1, eta_min: float = 0.0) -> LRScheduler:
    """Anneal the rate to ``eta_min`` over ``max_epoch`` epochs along half a cosine.

    Reference: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.

    Args:
        optimizer: whose rates are set.
        max_epoch: when the lowest rate is reached.
        eta_min: the lowest rate, of all parameter groups.
    """
    _check_end("cosine", max_epoch)
    return CosineAnnealingLR(optimizer, max_epoch, eta_min=_checked_floor(optimizer, eta_min))


def flat_cosine(
    optimizer: Optimizer,
    *,
    stepsize: Steps = 1,
    max_epoch: int = 1,
    steps_per_epoch: int = 1,
    eta_min: float = 0.0,
    hold: int = 0,
) -> LRScheduler:
    """Keep the rate until the epoch ``stepsize``, then anneal it to ``eta_min`` along a cosine.

    Reference: He et al., FastReID: A PyTorch Toolbox for General Instance Re-identification, 2020.

    Args:
        optimizer: whose rates are set.
        stepsize: the epoch at which the fall begins.
        max_epoch: when the lowest rate is reached, and training ends.
        steps_per_epoch: of the scheduler.
        eta_min: the lowest rate, of all parameter groups.
        hold: epochs before the end from which on the rate is lowest: 1 where the last epoch
            learns at it.
    """
    _check_end("flat_cosine", max_epoch)
    steps = _steps("flat_cosine", stepsize)
    end = max_epoch - hold * steps_per_epoch
    if hold < 0 or len(steps) > 1 or steps[0] >= end:
        raise ConfigError(
            f"the scheduler flat_cosine falls from stepsize on, but train.stepsize is "
            f"{quoted(stepsize)}, train.max_epoch {max_epoch} and hold {hold}",
            "Give stepsize as one number below max_epoch, such as half of it, and hold as less "
            "than what is left",
        )
    return FlatCosineLR(optimizer, steps[0], end, _checked_floor(optimizer, eta_min))


def warmup_cosine(
    optimizer: Optimizer,
    *,
    max_epoch: int = 1,
    steps_per_epoch: int = 1,
    warmup: int = _RISE,
    warmup_lr: float = 0.0,
    eta_min: float = 0.0,
    ahead: int = 0,
) -> LRScheduler:
    """Rise to the rate along a line, then follow a half cosine that began at epoch 0.

    timm's ``CosineLRScheduler`` (Wightman, PyTorch Image Models), by which the field's transformers
    are trained: both ends are rates, the same for all parameter groups. A run takes no
    ``train.warmup_epochs`` beside it: see `check_one_warmup`.

    Args:
        optimizer: whose rates are set.
        max_epoch: when the lowest rate is reached.
        steps_per_epoch: of the scheduler.
        warmup: epochs of the rise.
        warmup_lr: the rate that it begins with, of all parameter groups.
        eta_min: the lowest rate, of all parameter groups.
        ahead: epochs by which the schedule runs ahead; 1 for code that moves it before an epoch.
    """
    _check_end("warmup_cosine", max_epoch)
    if not 0 <= warmup * steps_per_epoch < max_epoch or ahead < 0:
        raise ConfigError(
            f"the scheduler warmup_cosine has warmup {quoted(warmup)} and ahead {quoted(ahead)} "
            f"in a run of {counted(max_epoch // steps_per_epoch, 'epoch')}",
            "Give warmup as epochs below train.max_epoch, and ahead as 0 or more",
        )
    counts = warmup * steps_per_epoch, ahead * steps_per_epoch
    ends = _checked_floor(optimizer, warmup_lr, "warmup_lr"), _checked_floor(optimizer, eta_min)
    return WarmupCosineLR(optimizer, max_epoch, *counts, *ends)


def check_one_warmup(config: Config) -> None:
    """Refuse a warm-up before ``warmup_cosine``, which has its own.

    Raises:
        ConfigError: both rise; the rates would be the product of the two.
    """
    rise = (config.sections.get("warmup_cosine") or {}).get("warmup", _RISE)
    for key in ("warmup_epochs", "warmup_steps"):
        if rise and getattr(config.train, key):
            raise ConfigError(
                f"train.{key} is {getattr(config.train, key)}, and the scheduler warmup_cosine "
                f"has a warm-up of its own, of {counted(rise, 'epoch')}",
                f"Set train.{key}=0, or warmup_cosine.warmup=0.",
            )


def polynomial(optimizer: Optimizer, *, max_epoch: int = 1, power: float = 1.0) -> LRScheduler:
    """Let the rate fall to 0 over ``max_epoch`` epochs: ``(1 - done / max_epoch) ** power``.

    Args:
        optimizer: whose rates are set.
        max_epoch: when 0 is reached.
        power: of the polynomial; 1 is a straight line.
    """
    _check_end("polynomial", max_epoch)
    if power <= 0:
        raise ConfigError(f"polynomial.power is {quoted(power)}", "Give more than 0")
    return PolynomialLR(optimizer, total_iters=max_epoch, power=power)


def one_cycle(
    optimizer: Optimizer,
    *,
    max_epoch: int = 1,
    pct_start: Annotated[float, Field(ge=0, lt=1)] = 0.3,
    div_factor: Annotated[float, Field(ge=1)] = 25.0,
    final_div_factor: Annotated[float, Field(gt=0)] = 1e4,
    cycle_momentum: bool = True,
) -> LRScheduler:
    """Let the rate rise to the optimizer's and fall, both along half a cosine.

    Reference: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates, 2018.

    Args:
        optimizer: whose rates, the highest ones, are those that the cycle reaches.
        max_epoch: length of the cycle.
        pct_start: share of it in which the rate rises.
        div_factor: the highest rate over the first.
        final_div_factor: the first rate over the last.
        cycle_momentum: move the momentum, or Adam's beta1, the other way: from 0.95 to 0.85.
    """
    _check_end("one_cycle", max_epoch)
    if 0 < pct_start * max_epoch <= 1:  # at 1 torch divides by 0, and below it begins in the fall
        raise ConfigError(
            f"the scheduler one_cycle rises for pct_start {quoted(pct_start)} of {max_epoch}, "
            "which is not beyond the first",
            "Move it with each step (train.lr_step_by=step), or raise one_cycle.pct_start",
        )
    try:
        return OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=max_epoch,
            pct_start=pct_start,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
            cycle_momentum=cycle_momentum,
        )
    except ValueError as error:  # torch's own check of the settings' ranges
        raise ConfigError(f"the scheduler one_cycle refuses its settings: {error}") from error


def constant(optimizer: Optimizer) -> LRScheduler:
    """Keep the rate as it is."""
    return ConstantLR(optimizer, factor=1.0)


class FlatCosineLR(LRScheduler):
    """A rate that stays for a while, then falls along half a cosine and stays at its lowest.

    Args:
        optimizer: whose rates are set.
        flat: steps of the scheduler that it stays for.
        T_max: steps until the rate is lowest.
        eta_min: the lowest rate.
        last_epoch: steps done.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        flat: int,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.flat, self.T_max, self.eta_min = flat, T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float | Tensor]:
        """Return the rate of each parameter group."""
        share = (self.last_epoch - self.flat) / (self.T_max - self.flat)
        height = (1 + math.cos(math.pi * min(1.0, max(0.0, share)))) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]


class WarmupCosineLR(LRScheduler):
    """A rate that rises along a line, and then falls along a half cosine over all steps.

    Args:
        optimizer: whose rates are set.
        T_max: steps of the scheduler until the rate is lowest.
        warmup: steps of the rise.
        ahead: steps that it is ahead of those done.
        warmup_lr: the rate that the rise begins with.
        eta_min: the lowest rate.
        last_epoch: steps done.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        warmup: int,
        ahead: int = 0,
        warmup_lr: float = 0.0,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max, self.warmup, self.ahead = T_max, warmup, ahead
        self.warmup_lr, self.eta_min = warmup_lr, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float | Tensor]:
        """Return the rate of each parameter group."""
        done = min(self.last_epoch + self.ahead, self.T_max)
        if done < self.warmup:
            start, share = self.warmup_lr, done / self.warmup
        else:
            start, share = self.eta_min, (1 + math.cos(math.pi * done / self.T_max)) / 2
        return [start + (base - start) * share for base in self.base_lrs]


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


def _check_end(scheduler: str, max_epoch: int) -> None:
    if max_epoch < 1:
        raise ConfigError(
            f"the scheduler {scheduler} needs max_epoch of at least 1, not {quoted(max_epoch)}"
        )


def _checked_floor(optimizer: Optimizer, rate: float, name: str = "eta_min") -> float:
    """Return the lowest rate, if that of no parameter group is lower: it would rise to it."""
    lowest = min(float(group["lr"]) for group in optimizer.param_groups)
    if not 0 <= rate <= lowest:
        raise ConfigError(
            f"{name} is {quoted(rate)}, and the lowest learning rate to begin with {lowest:g}",
            f"Give {name} from 0 to the rate of every parameter group",
        )
    return rate
