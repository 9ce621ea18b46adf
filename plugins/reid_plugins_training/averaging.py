"""An exponential moving average of the weights, which is what is tested and kept as the model.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), with the
exponential weights of Tarvainen and Valpola, "Mean teachers are better role models" (NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from reid_plugins_training.per_run import PerRun
from reid_plugins_training.settings import Ema
from reid_plugins_training.stepping import StepListener
from reidcore import hookimpl
from reidcore.errors import CheckpointError
from reidcore.models import unwrap

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from reidcore.engine import Engine, TrainState

    States = dict[str, dict[str, Any]]
    Tensors = list[Tensor] | tuple[Tensor, ...]


class MovingAverage:
    """Averages weights and buffers of each model after each step that its optimizer takes.

    The average is what tests see and what checkpoints hold as the model; the weights in training
    are kept beside it, so that a resumed run goes on with them. After a run that came to its end
    the model in memory holds the average too.

    Args:
        decay: the share of the average so far in the next one.
        ramp: begin with the mean of all steps: after t of them with ``min(decay, 1 - 1 / t)``.

    Raises:
        pydantic.ValidationError: a ``ValueError``, if the decay is not between 0 and 1.
    """

    def __init__(self, decay: float = 0.999, ramp: bool = False) -> None:
        self._settings = Ema(decay=decay, ramp=ramp)
        self._runs: PerRun[dict[str, _Average]] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Begin to average, with what a checkpoint brought or with the weights as they are."""
        if engine.plan.test_only:
            return
        averages: dict[str, _Average] = {}
        self._runs.start(engine, averages)  # so that the run's end closes those that are there
        for name, held in engine.states.items():
            if held.optimizer is not None:
                is_scaled = engine.accelerator.scaler.is_enabled()
                averages[name] = _Average(held, held.optimizer, self._settings, is_scaled)
        _take_up(averages, self._runs.resumed(engine))

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Average the steps of the optimizers that train in this stage."""
        for name, average in (self._runs.get(engine) or {}).items():
            if (optimizer := engine.states[name].optimizer) is not None:
                average.follow(optimizer)

    @hookimpl(wrapper=True)
    def reid_evaluate(self, engine: Engine) -> Generator[None, Any, Any]:
        """Test the average."""
        with ExitStack() as stack:
            for average in (self._runs.get(engine) or {}).values():
                engine.replicas.share_buffers(average.module)  # each process has its own
                stack.enter_context(average.in_place())
            return (yield)

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> States:
        """Keep the weights in training; the checkpoint holds the average as its model."""
        averages = self._runs.get(engine) or {}
        return {name: average.state_dict() for name, average in averages.items()}

    @hookimpl
    def reid_checkpoint_load(self, engine: Engine, state: States) -> None:
        """Take the weights in training back, where the model was given the average."""
        self._runs.resume(engine, state)
        if averages := self._runs.get(engine):  # of a run that is trained: the chosen model's state
            _take_up(averages, state)

    @hookimpl
    def reid_run_end(self, engine: Engine, error: BaseException | None) -> None:
        """Stop averaging; what a whole run leaves is the average."""
        for average in (self._runs.end(engine) or {}).values():
            average.close(is_kept=error is None)


class _Average:
    """The average of one model."""

    def __init__(
        self, held: TrainState, optimizer: Optimizer, settings: Ema, is_scaled: bool
    ) -> None:
        self._held, self._settings = held, settings
        self._model = unwrap(held.model)
        self._average = AveragedModel(self._model, multi_avg_fn=self._blend, use_buffers=True)
        self._average.requires_grad_(False)
        self._steps = 0
        self._listener = StepListener(optimizer, after=self._update, is_scaled=is_scaled)
        held.averaged = self._average

    @property
    def module(self) -> nn.Module:
        """The network of averaged weights."""
        return self._average.module

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the model, and the weights in training back afterwards."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def follow(self, optimizer: Optimizer) -> None:
        """Average after the steps of an optimizer, which may be another than before."""
        self._listener.follow(optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Return the weights in training, and how many steps were averaged."""
        return {"weights": dict(self._model.state_dict()), "steps": self._steps}

    def take_up(self, state: dict[str, Any], what: str) -> None:
        """Go on from a state; the model holds the average that belongs to it.

        Raises:
            CheckpointError: if it is of another model.
        """
        self.module.load_state_dict(self._model.state_dict())
        try:
            self._model.load_state_dict(state["weights"])
            self._steps = int(state["steps"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CheckpointError(
                f"the {what} do not fit it", "Give the checkpoint as it was written."
            ) from error
        self._average.n_averaged.fill_(self._steps)

    def close(self, is_kept: bool) -> None:
        """Stop averaging, and leave the average in the model or the weights in training."""
        self._listener.close()
        self._held.averaged = None
        if is_kept:
            self._exchange()

    def _update(self) -> None:
        self._average.update_parameters(self._model)
        self._steps += 1

    def _blend(self, averages: Tensors, weights: Tensors, count: Tensor | int) -> None:
        """Move averages towards weights of the same kind, in place."""
        if averages[0].is_floating_point() or averages[0].is_complex():
            blend = get_ema_multi_avg_fn(self._decay)  # type: ignore[no-untyped-call]
            blend(averages, weights, count)
        else:  # counters, such as batches that normalisation has seen
            torch._foreach_copy_(averages, weights)

    @property
    def _decay(self) -> float:
        decay, steps = self._settings.decay, self._steps + 1
        return min(decay, 1 - 1 / steps) if self._settings.ramp else decay

    @torch.no_grad()
    def _exchange(self) -> None:
        for averaged, weight in zip(_tensors(self.module), _tensors(self._model), strict=True):
            kept = weight.clone()
            weight.copy_(averaged)
            averaged.copy_(kept)


def _take_up(averages: Mapping[str, _Average], states: States) -> None:
    for name in averages.keys() & states.keys():
        averages[name].take_up(states[name], f"weights in training of model {name!r}")


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())
