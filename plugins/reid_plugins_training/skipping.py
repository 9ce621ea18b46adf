"""Leaving out batches whose loss is not finite, instead of stopping at the first."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine, NonFiniteLossError, StepOutcome
from reidcore.errors import counted

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")


@dataclass
class _Skips:
    """What one run has left out.

    Attributes:
        in_a_row: batches since the last one that was learnt from.
        in_epoch: batches of the epoch under way.
        before: the batch statistics of the models before the step.
    """

    in_a_row: int = 0
    in_epoch: int = 0
    before: list[Tensor] = field(default_factory=list)


class SkipNonFinite:
    """Leaves out a batch whose loss is not finite; too many in a row stop the run.

    Weights are as they were before the batch, and so are batch statistics, which one infinite
    activation would spoil for good. In a run of several processes all leave out the batch that one
    of them cannot learn from.

    Args:
        most_skipped: so many in a row stop the run.
    """

    def __init__(self, most_skipped: int = 10) -> None:
        self.most_skipped = most_skipped
        # By the engine's id: entries live from a run's start to its end.
        self._skips: dict[int, _Skips] = {}

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine) -> Generator[None, StepOutcome, StepOutcome]:
        """Catch the error of a step."""
        skips = self._skips.setdefault(id(engine), _Skips())
        buffers = _statistics(engine)
        if not skips.before:
            skips.before = [torch.empty_like(each) for each in buffers]
        if buffers:
            torch._foreach_copy_(skips.before, buffers)
        try:
            outcome = yield
        except NonFiniteLossError as error:
            skips.in_a_row += 1
            skips.in_epoch += 1
            if skips.in_a_row >= self.most_skipped:
                raise
            if buffers:
                torch._foreach_copy_(buffers, skips.before)
            _log.warning("Left out a batch: %s", error.what)
            return StepOutcome.skipped()
        skips.in_a_row = 0
        return outcome

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Say how many batches the epoch lost."""
        skips = self._skips.get(id(engine))
        if skips and skips.in_epoch:
            _log.warning(
                "%s of epoch %d left out, their loss not finite",
                counted(skips.in_epoch, "batch", "batches"),
                engine.epoch + 1,
            )
            skips.in_epoch = 0

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Forget the run."""
        self._skips.pop(id(engine), None)


def _statistics(engine: Engine) -> list[Any]:
    """Return the buffers of all models that hold real numbers."""
    models = [state.model for state in engine.states.values()]
    return [each for model in models for each in model.buffers() if each.is_floating_point()]
