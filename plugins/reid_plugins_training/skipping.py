"""Leaving out batches whose loss is not finite, instead of stopping at the first."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from reid_plugins_training.per_run import PerRun
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
        before: the buffers of models and losses before the step.
    """

    in_a_row: int = 0
    in_epoch: int = 0
    before: list[Tensor] = field(default_factory=list)


class SkipNonFinite:
    """Leaves out a batch whose loss is not finite; too many in a row stop the run.

    Weights and gradients are as they were before the batch, and so are batch statistics and the
    memories of losses, which one infinite activation would spoil for good. In a run of several
    processes all leave out the batch that one of them cannot learn from. On CUDA each step waits
    for its loss, also under ``train.speed=fast``.

    Args:
        most_skipped: so many in a row stop the run.
    """

    def __init__(self, most_skipped: int = 10) -> None:
        self.most_skipped = most_skipped
        self._runs: PerRun[_Skips] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Have each loss looked at in its own step: a later one could not take it back."""
        engine.accelerator.finite.is_late = False
        self._runs.start(engine, _Skips())

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine) -> Generator[None, StepOutcome, StepOutcome]:
        """Catch the error of a step."""
        skips = self._runs.get(engine)
        if skips is None:  # a step by hand, outside of a run
            return (yield)
        buffers = _buffers(engine)
        if [each.shape for each in buffers] != [each.shape for each in skips.before]:
            skips.before = [torch.empty_like(each) for each in buffers]  # a memory may grow
        _copy(buffers, skips.before)
        parameters = _parameters(engine)
        # Of batches before it, where gradients are accumulated; otherwise there are none.
        gradients = [None if each.grad is None else each.grad.clone() for each in parameters]
        try:
            outcome = yield
        except NonFiniteLossError as error:
            skips.in_a_row += 1
            skips.in_epoch += 1
            if skips.in_a_row >= self.most_skipped:
                raise
            _copy(skips.before, buffers)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            _log.warning("Left out a batch: %s", error.what)
            return StepOutcome.skipped()
        skips.in_a_row = 0
        return outcome

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Say how many batches the epoch lost."""
        skips = self._runs.get(engine)
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
        self._runs.end(engine)


def _buffers(engine: Engine) -> list[Tensor]:
    """Return what models and losses learn without gradients: batch statistics, memories."""
    modules = [state.model for state in engine.states.values()]
    modules += [each for _, each in engine.terms.values() if isinstance(each, nn.Module)]
    return [buffer for module in modules for buffer in module.buffers()]


def _parameters(engine: Engine) -> list[nn.Parameter]:
    groups = [group for optimizer in engine.optimizers for group in optimizer.param_groups]
    return [parameter for group in groups for parameter in group["params"]]


def _copy(values: list[Tensor], into: list[Tensor]) -> None:
    if values:
        torch._foreach_copy_(into, values)
