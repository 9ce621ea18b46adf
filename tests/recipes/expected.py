"""What a recipe was published with, as a row that its authors' files are typed into.

A row says nothing of how reidcore spells a setting where that can be measured on what is built: the
rate of each parameter, the schedule in every epoch, the size of the last maps, the loss terms.
Everything else is held against the configuration with all its defaults, key by key.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the images of most recipes."""

HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Those of the vision transformers."""


class Moment(NamedTuple):
    """A place in a training.

    Attributes:
        epoch: epochs done.
        step: steps of the optimizer done in this one.
        steps: steps of an epoch.
    """

    epoch: int
    step: int
    steps: int

    @property
    def iteration(self) -> int:
        """Steps done since the training began."""
        return self.epoch * self.steps + self.step


Curve = Callable[[float, Moment], float]
"""The rate of a group of parameters at a moment, of the rate that it is given to begin with."""


class Group(NamedTuple):
    """How the parameters learn whose whole names a regular expression finds something in.

    Attributes:
        pattern: searched in the name; of several groups that fit the last one counts.
        lr: the rate that the schedule begins with.
        weight_decay: of these parameters.
    """

    pattern: str
    lr: float
    weight_decay: float


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A recipe's numbers as published.

    Attributes:
        recipe: its name in reidcore.
        source: repository and files that the numbers were read in.
        model: the registered network.
        image: height and width.
        normalisation: mean and standard deviation.
        optimizer: the class in ``torch.optim``.
        optimizer_options: its defaults that matter, such as ``betas`` or ``momentum``.
        groups: what each parameter learns at; every one that has a gradient must fit a group, and
            every group some parameter.
        frozen: patterns of parameters that never learn.
        curve: the learning rate.
        epochs: of the main stage.
        maps: height and width of the last maps: what strides and patch sizes make of the image.
        features: length of the features that are compared.
        head: keys of ``model.head`` that are not as by default, the sides of the neck apart; all
            of them.
        model_options: options of the network that the recipe depends on.
        metric_features: the side of the neck whose features the metric loss sees, ``before_neck``
            or ``after_neck``; None where the network leaves no choice.
        test_features: the side whose features are compared.
        losses: term -> its weight; all of them.
        loss_options: loss -> its options, such as margins, as the criterion has them.
        sampler: the registered sampler; None for a shuffled order.
        batch: images in a batch, P x K.
        instances: images of an identity in it, K.
        transforms: training transform -> its options, such as ``{"p": 0.5}``; all of them.
        metric: what features are compared by.
        normalized: whether they are scaled to unit length first.
        amp: whether training is in mixed precision.
        settings: further keys of the configuration with all its defaults, dotted.
        overrides: what a test has to set for the recipe to be built without its data.
    """

    recipe: str
    source: str
    model: str
    image: tuple[int, int]
    normalisation: tuple[Sequence[float], Sequence[float]] = IMAGENET
    optimizer: str
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    groups: Sequence[Group]
    frozen: Sequence[str] = ()
    curve: Curve
    epochs: int
    maps: tuple[int, int] | None
    features: int
    head: Mapping[str, Any] = field(default_factory=dict)
    metric_features: str | None
    test_features: str | None
    model_options: Mapping[str, Any] = field(default_factory=dict)
    losses: Mapping[str, float]
    loss_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sampler: str | None
    batch: int
    instances: int | None = None
    transforms: Mapping[str, Mapping[str, Any]]
    metric: str
    normalized: bool
    amp: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[str] = ()

    def group_of(self, parameter: str) -> Group | None:
        """Return how a parameter learns."""
        fitting = [group for group in self.groups if re.search(group.pattern, parameter)]
        return fitting[-1] if fitting else None

    def is_frozen(self, parameter: str) -> bool:
        """Say whether a parameter never learns."""
        return any(re.search(pattern, parameter) for pattern in self.frozen)


# The published schedules, written down from the authors' code and not from ours.


def steps_after_warmup(
    milestones: Sequence[int],
    *,
    warmup: int = 0,
    factor: float = 1.0,
    gamma: float = 0.1,
    ahead: int = 0,
) -> Curve:
    """``WarmupMultiStepLR`` of reid-strong-baseline, by epochs.

    Args:
        milestones: epochs at which the rate falls.
        warmup: epochs of the linear rise.
        factor: what it begins with.
        gamma: factor at each fall.
        ahead: 1 where ``scheduler.step()`` comes before an epoch, under PyTorch 1.1 and newer.
    """

    def curve(base: float, now: Moment) -> float:
        t = now.epoch + ahead
        alpha = min(1.0, t / warmup) if warmup else 1.0
        return base * (factor * (1 - alpha) + alpha) * gamma ** bisect_right(milestones, t)

    return curve


def step(every: int, gamma: float = 0.1) -> Curve:
    """``StepLR``."""
    return lambda base, now: base * gamma ** (now.epoch // every)


def cosine(epochs: int, eta_min: float = 0.0) -> Curve:
    """``CosineAnnealingLR``."""

    def curve(base: float, now: Moment) -> float:
        return eta_min + (base - eta_min) * (1 + math.cos(math.pi * now.epoch / epochs)) / 2

    return curve


def fastreid(
    schedule: Curve, *, warmup: int, factor: float, delay: int = 0, steps: int = 202
) -> Curve:
    """FastReID's pair of schedulers: the rise moves by iterations, the rest by epochs.

    The second one is moved after epochs that end beyond the rise and beyond the delay.

    Args:
        schedule: the second one; what it takes as epochs done is how often it was moved.
        warmup: iterations of the rise.
        factor: what it begins with.
        delay: epochs before the second one moves.
        steps: iterations of FastReID's epoch, by default of 64 images of Market-1501.
    """

    def curve(base: float, now: Moment) -> float:
        alpha = min(1.0, now.iteration / warmup)
        ended = range(1, now.epoch + 1)
        moved = sum(end * steps > warmup and end > delay for end in ended)
        return schedule(base, Moment(moved, 0, steps)) * (factor * (1 - alpha) + alpha)

    return curve


def timm_cosine(
    epochs: int, *, warmup: int, warmup_lr: float, lr_min: float, ahead: int = 0
) -> Curve:
    """``CosineLRScheduler`` of timm, as copied into TransReID and its descendants.

    Args:
        epochs: of the cosine.
        warmup: epochs of the rise, which the cosine does not wait for.
        warmup_lr: rate that it begins with, of all groups.
        lr_min: lowest rate, of all groups.
        ahead: 1 where ``scheduler.step(epoch)`` comes before epoch 1, 2, ...; 0 where after.
    """

    def curve(base: float, now: Moment) -> float:
        t = now.epoch + ahead
        if t < warmup:
            return warmup_lr + t * (base - warmup_lr) / warmup
        return lr_min + 0.5 * (base - lr_min) * (1 + math.cos(math.pi * min(t, epochs) / epochs))

    return curve


def half_cosine_by_iterations(epochs: int, warmup: int) -> Curve:
    """MAE's schedule, which HAP fine-tunes with: from 0 up along a line, down along a cosine."""

    def curve(base: float, now: Moment) -> float:
        t = now.epoch + now.step / now.steps
        if t < warmup:
            return base * t / warmup
        return base * 0.5 * (1 + math.cos(math.pi * (t - warmup) / (epochs - warmup)))

    return curve
