"""Which tricks a run trains with: one section for each, none of which acts unless it is written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from reidcore.errors import counted

Layers = Annotated[
    list[str],
    Field(min_length=1),
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
]
"""Names of layers; one may be written alone."""


def _wanted(expected: str) -> PydanticCustomError:
    """Return what is raised of keys that do not fit together; the core puts it into its words."""
    return PydanticCustomError("wanted", "{expected}", {"expected": expected})


class Ema(BaseModel, extra="forbid"):
    """``settings.training.ema``: an exponential moving average of the weights.

    Attributes:
        decay: the share of the average so far in the next one.
        ramp: begin with the mean of all steps: after t of them with ``min(decay, 1 - 1 / t)``.
    """

    decay: float = Field(0.999, gt=0, lt=1)
    ramp: bool = False


class Clip(BaseModel, extra="forbid"):
    """``settings.training.clip``: bounds on gradients, one of the two.

    Attributes:
        norm: the largest Euclidean norm of all gradients of an optimizer together.
        value: the largest absolute value of each number in them.
    """

    norm: float | None = Field(None, gt=0, allow_inf_nan=False)
    value: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if (self.norm is None) == (self.value is None):
            raise _wanted("either norm or value")
        return self


class Freeze(BaseModel, extra="forbid"):
    """``settings.training.freeze``: layers that do not learn at first.

    Attributes:
        layers: dotted names of layers or parameters; one may be written alone.
        epochs: for so many epochs of the whole training.
        steps: for so many steps of the optimizer; one of the two.
        bn_eval: keep the layers' running statistics as they are; else only the parameters.
    """

    layers: Layers
    epochs: int | None = Field(None, ge=1)
    steps: int | None = Field(None, ge=1)
    bn_eval: bool = True

    @model_validator(mode="after")
    def _has_one_duration(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise _wanted("either epochs or steps")
        return self

    @property
    def duration(self) -> str:
        """How long, in words."""
        if self.steps is not None:
            return counted(self.steps, "step")
        return counted(self.epochs or 0, "epoch")


class Mix(BaseModel, extra="forbid"):
    """``settings.training.mixstyle``: mixed feature statistics.

    Attributes:
        layers: dotted names of those whose maps are mixed; one may be written alone.
        p: how probable it is that a batch is mixed behind a layer.
        alpha: of the distribution Beta(alpha, alpha) of the own share.
        mix: with any image of the batch, or with one of another domain.
        domain: the column of the batch that tells domains apart.
    """

    layers: Layers
    p: float = Field(0.5, gt=0, le=1)
    alpha: float = Field(0.1, gt=0, allow_inf_nan=False)
    mix: Literal["random", "crossdomain"] = "random"
    domain: Literal["camid", "dsetid"] = "camid"


class EarlyStop(BaseModel, extra="forbid"):
    """``settings.training.early_stop``: when a training has stopped getting better.

    Attributes:
        patience: so many tests in a row without a better figure end it.
        min_delta: a figure is better if it is above the best so far by more than this.
    """

    patience: int = Field(ge=1)
    min_delta: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Distill(BaseModel, extra="forbid"):
    """``settings.training.distill``: a teacher, and the weights of what is learnt from it.

    Attributes:
        teacher: the checkpoint of a trained network.
        logits: weight of the divergence of the predictions.
        temperature: softens them.
        cosine: weight of the cosines between features.
        relation: weight of the similarities of pairs.
    """

    teacher: str = Field(min_length=1)
    logits: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    temperature: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    cosine: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    relation: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _teaches_something(self) -> Self:
        if not self.logits + self.cosine + self.relation:
            raise _wanted("one of logits, cosine and relation above 0")
        return self


class AlarmSettings(BaseModel, extra="forbid"):
    """``settings.training.alarms``: which alarms a run has, and what it does with NaN.

    Attributes:
        non_finite: ``stop`` at a batch whose loss is not finite, or ``skip`` it.
        most_skipped: so many in a row stop the run nonetheless.
        triplet: the triplet loss stays at its margin.
        collapse: the features of all images are nearly the same.
        gradients: parameters that no loss has a gradient for.
        rate: a learning rate of zero.
        classes: identities that are in no batch.
        waiting: much time is spent waiting for images.
    """

    non_finite: Literal["stop", "skip"] = "stop"
    most_skipped: int = Field(default=10, ge=1)
    triplet: bool = True
    collapse: bool = True
    gradients: bool = True
    rate: bool = True
    classes: bool = True
    waiting: bool = True


class TrainingSettings(BaseModel, extra="forbid"):
    """``settings.training``.

    Attributes:
        ema: average the weights.
        clip: bound the gradients.
        freeze: hold layers at first.
        mixstyle: mix the styles of images.
        early_stop: end a training that does not get better.
        distill: learn from a trained network.
        alarms: which alarms a run has; all of them by default.
    """

    ema: Ema | None = None
    clip: Clip | None = None
    freeze: Freeze | None = None
    mixstyle: Mix | None = None
    early_stop: EarlyStop | None = None
    distill: Distill | None = None
    alarms: AlarmSettings = AlarmSettings()
