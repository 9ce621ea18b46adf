"""The optimizer and the schedule of its learning rate."""

from __future__ import annotations

from typing import ClassVar

from reidcore.config.options.base import Names, Options, Positives, Rate


class OptimOptions(Options):
    """Which optimizer and scheduler train, at which rates.

    Attributes:
        optim: the optimizer.
        lr: learning rate.
        weight_decay: weight decay.
        staged_lr: train all but ``new_layers`` at ``lr * base_lr_mult``.
        new_layers: dotted names of the layers that start from random weights.
        base_lr_mult: factor on the other layers' learning rate.
        lr_scheduler: the learning-rate schedule.
        stepsize: epochs between falls, or the epochs of the falls.
        gamma: factor at each fall.
    """

    section: ClassVar[str] = "train"

    optim: str = "adam"
    lr: Rate = 0.0003
    weight_decay: Rate = 0.0005
    staged_lr: bool = False
    new_layers: Names = ["classifier"]
    base_lr_mult: Rate = 0.1
    lr_scheduler: str = "single_step"
    stepsize: Positives = [20]
    gamma: Rate = 0.1
