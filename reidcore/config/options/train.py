"""How a model is trained: epochs, batches, precision, and the losses."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from reidcore.config.options.base import (
    MOST,
    Names,
    NotNegative,
    OpenOptions,
    Options,
    Positive,
    Rate,
    switched,
)
from reidcore.config.options.optim import OptimOptions


def _compiling(value: object) -> object:
    """Return the mode for a switch, such as YAML's bare ``off``."""
    return {False: "off", True: "default"}[value] if isinstance(value, bool) else value


class EpochOptions(Options):
    """The epochs of a run, which count from 0.

    Attributes:
        max_epoch: train until this many epochs are done.
        start_epoch: the epochs that are done already.
        fixbase_epoch: epochs in which only ``open_layers`` are trained.
        open_layers: names of the layers that stay open in them.
        print_freq: batches between two lines of output.
        keep_checkpoints: how many checkpoints of whole epochs stay, the newest ones; None keeps the
            newest, and those of epochs that were tested. The best one always stays.
        checkpoint_minutes: also write one inside an epoch, whenever so many minutes have passed
            since the last.
    """

    section: ClassVar[str] = "train"

    max_epoch: NotNegative = 60
    start_epoch: NotNegative = 0
    fixbase_epoch: NotNegative = 0
    open_layers: Names = ["classifier"]
    print_freq: Positive = 20
    keep_checkpoints: Positive | None = None
    checkpoint_minutes: Annotated[float, Field(gt=0, le=MOST)] | None = None


class TrainOptions(OptimOptions, EpochOptions):
    """Optimization, its schedule and its precision.

    Attributes:
        batch_size: images in a training batch, over all processes.
        drop_last: leave the last batch of an epoch out where it is not full.
        seed: seed of everything random, 32 bits.
        amp: mixed precision.
        channels_last: keep images and weights in channels-last layout.
        accumulate: batches whose gradients are averaged before a step of the optimizer.
        sync_bn: with several processes on CUDA, normalise by the statistics of the whole batch.
        step: the plugin whose replacement of the step acts; ``core`` for none.
        speed: ``exact``, or ``fast``, which chooses by the device what nobody chose.
        compile: compile the network, in one of ``torch.compile``'s modes.
        keep_memory: on the CPU under Linux, keep freed memory for the next step.
    """

    batch_size: Positive = 32
    drop_last: bool = True
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    amp: Annotated[Literal["off", "bf16", "fp16", "auto"], BeforeValidator(switched)] = "off"
    channels_last: bool = False
    accumulate: Positive = 1
    sync_bn: bool = False
    step: str | None = None
    speed: Literal["exact", "fast"] = "exact"
    compile: Annotated[
        Literal["off", "default", "reduce-overhead", "max-autotune"], BeforeValidator(_compiling)
    ] = "off"
    keep_memory: bool = True


class LossOptions(OpenOptions):
    """What is minimised; further keys are sections named after losses.

    Attributes:
        name: one loss, or an engine.
        terms: several losses and their weights, 0 or more.
    """

    section: ClassVar[str] = "loss"

    name: str = "softmax"
    terms: dict[str, Rate] | None = None
