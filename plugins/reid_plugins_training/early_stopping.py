"""Training ends once tests have found nothing better for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reid_plugins_training.settings import EarlyStop
from reidcore import hookimpl
from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reidcore.engine import Engine, RunPlan


class EarlyStopping:
    """Stops after some tests in a row without a better figure.

    The figure is the one that the best checkpoint is chosen by, ``test.select_metric`` on the
    targets or on validation. A resumed run comes to the same decision, since it knows all tests.

    Args:
        patience: so many tests in a row without a better figure end the training.
        min_delta: a figure is better if it is above the best so far by more than this.

    Raises:
        pydantic.ValidationError: a ``ValueError``, if one of these is none.
    """

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self._settings = EarlyStop(patience=patience, min_delta=min_delta)

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Refuse a training that is not tested on the way, or whose tests choose nothing."""
        if not engine.plan.test_only:
            _require_tests(engine.plan, engine.record.selection.of)

    @hookimpl
    def reid_stop_training(self, engine: Engine) -> str | None:
        """Look at the tests so far: those of the last stage, as what comes before prepares it."""
        if not engine.stage.is_last:
            return None
        chosen, first = engine.record.selection, engine.stage.first
        values = {epoch: value for epoch, value in chosen.values.items() if epoch > first}
        best = last_improvement(values, self._settings.min_delta)
        tests = sum(epoch > best for epoch in values)
        if tests < self._settings.patience:
            return None
        more = f" by more than {self._settings.min_delta:g}" if self._settings.min_delta else ""
        return (
            f"{counted(tests, 'test')} in a row had no better {chosen.metric} on {chosen.of} than "
            f"{values[best]:.1%} after epoch {best}{more}"
        )


def last_improvement(values: Mapping[int, float], min_delta: float) -> int:
    """Return the epoch whose figure was the last to be better than all before it.

    Args:
        values: epochs done -> the figure of the test after them, in order; larger is better.
        min_delta: a better one is above the best so far by more than this.

    Returns:
        The epochs done then; 0 before the first test.
    """
    best = 0
    for epoch, value in values.items():
        if not best or value > values[best] + min_delta:
            best = epoch
    return best


def _require_tests(plan: RunPlan, tested: str) -> None:
    if not tested:
        raise UserError(
            "early stopping looks at the figure that the best model is chosen by, and none is",
            "Set test.select_on to targets or validation, and name a target.",
        )
    if plan.eval_freq <= 0:
        raise UserError(
            "early stopping looks at tests, and the run has one after its last epoch alone",
            "Set test.eval_freq to the epochs between two tests.",
        )
