"""Which tricks a run trains with: one section for each, none of which acts unless it is written."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator


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
            raise ValueError("give either norm or value")
        return self


class TrainingSettings(BaseModel, extra="forbid"):
    """``settings.training``.

    Attributes:
        ema: average the weights.
        clip: bound the gradients.
    """

    ema: Ema | None = None
    clip: Clip | None = None
