"""A scheduler paced by a run: stepped by epochs or by optimizer steps, behind a linear warm-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class PacedScheduler:
    """Steps a scheduler after epochs or before optimizer steps, and warms its rates up.

    While the run warms up, each rate is the scheduler's own times a factor that rises linearly from
    ``warmup_factor`` to 1 (Goyal et al., Accurate, Large Minibatch SGD, 2017). The scheduler itself
    counts from the start of the run, so that a fall at epoch 40 is at epoch 40 with a warm-up too.

    An epoch has ``steps_per_epoch`` steps for the schedule. One that had fewer leaves it where it
    would have been, and of one that had more the last steps are at one rate.

    Args:
        scheduler: gives the rates; made for ``optimizer``, and not stepped yet.
        optimizer: whose rates they are.
        steps_per_epoch: optimizer steps of an epoch; of no importance where all counts are epochs.
        by_step: whether ``scheduler`` counts optimizer steps; epochs otherwise.
        warmup_epochs: length of the warm-up. It rises by steps where ``by_step`` is true.
        warmup_steps: its length in optimizer steps, in the place of ``warmup_epochs``.
        warmup_factor: share of the rates that it begins with.

    Attributes:
        last_epoch: epochs done, as torch's schedulers call it.
    """

    def __init__(
        self,
        scheduler: LRScheduler,
        optimizer: Optimizer,
        steps_per_epoch: int = 1,
        by_step: bool = False,
        warmup_epochs: int = 0,
        warmup_steps: int = 0,
        warmup_factor: float = 0.01,
    ) -> None:
        self.optimizer = optimizer
        self.steps_per_epoch = steps_per_epoch
        self.by_step = by_step
        self.warmup_epochs = warmup_epochs
        self.warmup_steps = warmup_steps
        self.warmup_factor = warmup_factor
        self._schedulers = [scheduler]  # as torch's schedulers call those that they are made of
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.restart()

    @property
    def scheduler(self) -> LRScheduler:
        """The scheduler that gives the rates."""
        return self._schedulers[0]

    @property
    def counts_steps(self) -> bool:
        """Whether anything of it goes by optimizer steps."""
        return self.by_step or self.warmup_steps > 0

    @property
    def epochs_of_warmup(self) -> float:
        """How many epochs the warm-up takes."""
        return self.warmup_epochs or self.warmup_steps / self.steps_per_epoch

    @property
    def factor(self) -> float:
        """What the scheduler's rates are multiplied by now."""
        done, length = self.last_epoch, self.warmup_epochs
        if self.counts_steps:
            done = self._steps
            length = self.warmup_steps or self.warmup_epochs * self.steps_per_epoch
        if done >= length:
            return 1.0
        return self.warmup_factor + (1 - self.warmup_factor) * done / length

    def restart(self) -> None:
        """Begin anew, with the rates that the scheduler has just set."""
        self.last_epoch = self._step = 0
        self._rates = rates_of(self.optimizer)
        self._set_rates()

    def step(self) -> None:
        """Go on to the next epoch, wherever the one under way was left."""
        self._go_to(self.last_epoch + 1, 0)

    def step_update(self, step: int) -> None:
        """Set the rates of an optimizer step, before it.

        Args:
            step: its number in the epoch, from 0; an earlier one than before changes nothing.
        """
        if self.counts_steps and self._step < step < self.steps_per_epoch:
            self._go_to(self.last_epoch, step)

    def get_last_lr(self) -> list[float]:
        """Return the rates of the parameter groups now."""
        return rates_of(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Return how far it has come, what it was made with, and the scheduler's own state."""
        return {
            "last_epoch": self.last_epoch,
            "step_in_epoch": self._step,
            "rates": self._rates,
            "steps_per_epoch": self.steps_per_epoch if self.counts_steps else 1,
            "by_step": self.by_step,
            "warmup_epochs": self.warmup_epochs,
            "warmup_steps": self.warmup_steps,
            "warmup_factor": self.warmup_factor,
            "_schedulers": [each.state_dict() for each in self._schedulers],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of one that was made with the same arguments."""
        for scheduler, saved in zip(self._schedulers, state["_schedulers"], strict=True):
            scheduler.load_state_dict(saved)
        self.last_epoch, self._step = int(state["last_epoch"]), int(state["step_in_epoch"])
        self._rates = [float(rate) for rate in state["rates"]]
        self._set_rates()

    def _go_to(self, epoch: int, step: int) -> None:
        before = self._ticks
        self.last_epoch, self._step = epoch, step
        set_rates(self.optimizer, self._rates)  # which many schedulers derive the next ones from
        # An optimizer whose first steps were left out would make the scheduler warn of the order.
        self.optimizer._opt_called = True  # type: ignore[attr-defined]
        for _ in range(self._ticks - before):
            self.scheduler.step()
        self._rates = rates_of(self.optimizer)
        self._set_rates()

    @property
    def _steps(self) -> int:
        """Optimizer steps since the run began, as the schedule counts them."""
        return self.last_epoch * self.steps_per_epoch + self._step

    @property
    def _ticks(self) -> int:
        """How often the scheduler has to be stepped to be where it should be."""
        return self._steps if self.by_step else self.last_epoch

    def _set_rates(self) -> None:
        set_rates(self.optimizer, [rate * self.factor for rate in self._rates])


def rates_of(optimizer: Optimizer) -> list[float]:
    """Return the rate of each parameter group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def set_rates(optimizer: Optimizer, rates: Sequence[Any]) -> None:
    """Set the rate of each parameter group."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
