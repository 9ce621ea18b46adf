"""Alarms about what is to learn and does not: parameters without gradient, a rate of zero."""

from __future__ import annotations

from torch import nn

from reid_plugins_training.alarms.alarm import Alarm
from reidcore.engine import Engine, StepOutcome
from reidcore.models import unwrap

_MOST_NAMED = 3


class NoGradient(Alarm):
    """Parameters that an optimizer holds, and that no loss of a whole epoch had a gradient for.

    Those that were frozen (``requires_grad=False``) in all of its steps, or are at its end, are
    none of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, nn.Parameter] | None = None
        self._open: set[str] = set()

    def before_optimizer_step(self, engine: Engine) -> None:
        """Strike out what has a gradient; once nothing is left there is nothing to look at."""
        if self._waiting is None:
            self._waiting = _to_be_trained(engine)
        if self._waiting:
            self._waiting = {
                name: each for name, each in self._waiting.items() if each.grad is None
            }
            self._open |= {name for name, each in self._waiting.items() if each.requires_grad}

    def epoch_done(self, engine: Engine) -> None:
        """Name what is left of those that could learn."""
        left = [
            name
            for name, each in (self._waiting or {}).items()
            if each.requires_grad and name in self._open
        ]
        if left:
            more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
            self.tell(
                f"No loss has a gradient for {', '.join(left[:_MOST_NAMED])}{more}: they stay as "
                "they are. Weigh a loss in that reads them (loss.terms), or freeze them."
            )


class ZeroRate(Alarm):
    """A learning rate of zero in all groups of all optimizers: nothing is learnt."""

    def symptom(self, engine: Engine, outcome: StepOutcome) -> str:
        """Look at the rates by which the step was taken."""
        groups = [group for each in engine.optimizers for group in each.param_groups]
        if not groups or any(float(group["lr"]) for group in groups):
            return ""
        return (
            "The learning rate is 0, and nothing is learnt: set train.lr above 0, or a schedule "
            "(train.lr_scheduler) that ends later."
        )


def _to_be_trained(engine: Engine) -> dict[str, nn.Parameter]:
    """Return the parameters of all models that an optimizer holds, by name."""
    held = {
        id(parameter)
        for optimizer in engine.optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    named = {
        f"{model}.{name}" if len(engine.states) > 1 else name: parameter
        for model, state in engine.states.items()
        for name, parameter in unwrap(state.model).named_parameters()
    }
    return {name: each for name, each in named.items() if id(each) in held}
