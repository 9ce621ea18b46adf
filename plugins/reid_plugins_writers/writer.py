"""What every writer is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult


class Writer:
    """Writes what a run reports; a subclass defines what it has a use for."""

    def step_done(self, engine: Engine) -> None:
        """Take in a training step; ``engine.active_run`` has its figures."""

    def epoch_done(self, engine: Engine) -> None:
        """Take in an epoch; ``engine.record.history[-1]`` has its figures."""

    def test_done(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Take in a test of all targets."""

    def failed(self, engine: Engine, error: BaseException) -> None:
        """Take in what ended a run before its end, be it Ctrl-C."""

    def close(self, engine: Engine) -> None:
        """Finish."""


def group_rates(engine: Engine) -> dict[str, float]:
    """Return the learning rates of parameter groups, where an optimizer has several, by names."""
    rates = {}
    for model, state in engine.states.items():
        groups = state.optimizer.param_groups if state.optimizer else []
        prefix = f"lr/{model}" if len(engine.states) > 1 else "lr"
        for group in groups if len(groups) > 1 else []:
            if "name" in group:
                rates[f"{prefix}/{group['name']}"] = float(group["lr"])
    return rates
