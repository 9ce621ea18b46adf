"""The optimizer and the schedule of its learning rate."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reidcore.config.options.base import MOST, Names, NotNegative, Options, Positives, Rate
from reidcore.errors import ConfigError, counted

Share = Annotated[float, Field(ge=0, le=1)]


class GroupRule(Options):
    """How some of a model's parameters are trained.

    Attributes:
        lr_mult: factor on their learning rate.
        weight_decay: their weight decay; the others' if null.
    """

    section: ClassVar[str] = "train.groups"

    lr_mult: Rate = 1.0
    weight_decay: Rate | None = None


class OptimOptions(Options):
    """Which optimizer and scheduler train, at which rates.

    Attributes:
        optim: the optimizer.
        lr: learning rate.
        weight_decay: weight decay.
        staged_lr: train all but ``new_layers`` at ``lr * base_lr_mult``.
        new_layers: dotted names of the layers that start from random weights.
        base_lr_mult: factor on the other layers' learning rate.
        groups: rules for some parameters: ``bias``, ``norm``, ``new_layers``, or a pattern of the
            dotted names of layers or parameters.
        layer_decay: factor on the learning rate from each block of the network to the one before.
        lr_scheduler: the learning-rate schedule.
        stepsize: epochs between falls, or the epochs of the falls.
        gamma: factor at each fall.
        lr_step_by: whether the schedule moves once an ``epoch``, or with each ``step`` of the
            optimizer.
        warmup_epochs: epochs in which the rates rise to those of the schedule.
        warmup_steps: optimizer steps in which they do, in the place of ``warmup_epochs``.
        warmup_factor: share of the rates that the rise begins with.
    """

    section: ClassVar[str] = "train"

    optim: str = "adam"
    lr: Rate = 0.0003
    weight_decay: Rate = 0.0005
    staged_lr: bool = False
    new_layers: Names = ["classifier"]
    base_lr_mult: Rate = 0.1
    groups: dict[str, GroupRule] = {}
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = None
    lr_scheduler: str = "single_step"
    stepsize: Positives = [20]
    gamma: Rate = 0.1
    lr_step_by: Literal["epoch", "step"] = "epoch"
    warmup_epochs: NotNegative = 0
    warmup_steps: Annotated[int, Field(ge=0, le=1000 * MOST)] = 0
    warmup_factor: Share = 0.01

    @property
    def counts_steps(self) -> bool:
        """Whether anything of the schedule goes by optimizer steps."""
        return self.lr_step_by == "step" or self.warmup_steps > 0

    def check_warmup(self, max_epoch: int = 0) -> None:
        """Refuse two lengths of the warm-up, and one of more epochs than the run has.

        Args:
            max_epoch: epochs of the run; 0 if that is not known.

        Raises:
            ConfigError: if so.
        """
        if self.warmup_epochs and self.warmup_steps:
            raise ConfigError(
                f"train.warmup_epochs={self.warmup_epochs} and "
                f"train.warmup_steps={self.warmup_steps} both give the warm-up's length",
                "Set one of them to 0.",
            )
        if max_epoch and self.warmup_epochs > max_epoch:
            raise ConfigError(
                f"the warm-up of {counted(self.warmup_epochs, 'epoch')} is longer than the run of "
                f"{counted(max_epoch, 'epoch')}",
                "Lower train.warmup_epochs, or raise train.max_epoch.",
            )
