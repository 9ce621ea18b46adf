"""What an alarm is, and who asks it."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from reidcore.engine import Engine, StepOutcome

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

IN_A_ROW = 3
"""How many figures in a row must show a symptom: one may be an accident."""

_SETTLED = 200
"""Batches after which, or after the first epoch, a network has left its random weights behind."""


class Alarm:
    """Looks for one thing that goes wrong with a run, and tells of it once.

    A subclass overrides ``symptom``, or what else it needs.
    """

    def __init__(self) -> None:
        self._has_told = False
        self._seen = 0

    def symptom(self, engine: Engine, outcome: StepOutcome) -> str:
        """Return what is wrong and the remedy; empty if nothing is.

        Args:
            engine: has just taken a step whose figures are shown.
            outcome: what the step reports.
        """
        return ""

    def before_optimizer_step(self, engine: Engine) -> None:
        """Look at the gradients of a step, without reading their numbers."""

    def step_shown(self, engine: Engine, outcome: StepOutcome) -> None:
        """Tell of a symptom that three figures in a row have shown."""
        told = "" if self._has_told else self.symptom(engine, outcome)
        self._seen = self._seen + 1 if told else 0
        if self._seen == IN_A_ROW:
            self.tell(told)

    def epoch_done(self, engine: Engine) -> None:
        """Look at an epoch that has come to its end."""

    def tell(self, what: str) -> None:
        """Log one line, the first time."""
        if not self._has_told:
            self._has_told = True
            _log.warning("%s", what)


class Watch:
    """The alarms of one run.

    Args:
        alarms: what looks at the run.
    """

    def __init__(self, alarms: Iterable[Alarm]) -> None:
        self._alarms = list(alarms)

    def before_optimizer_step(self, engine: Engine) -> None:
        """Let the alarms look at the gradients."""
        for alarm in self._alarms:
            alarm.before_optimizer_step(engine)

    def step_done(self, engine: Engine, outcome: StepOutcome) -> None:
        """Let the alarms look at a step, if its figures are shown: only then may they be read."""
        run = engine.active_run
        if run is not None and run.shows_figures and not outcome.was_skipped:
            for alarm in self._alarms:
                alarm.step_shown(engine, outcome)

    def epoch_done(self, engine: Engine) -> None:
        """Let the alarms look at an epoch."""
        for alarm in self._alarms:
            alarm.epoch_done(engine)


def is_settled(engine: Engine) -> bool:
    """Say whether the network has learnt for a while: random weights give odd features."""
    run = engine.active_run
    return engine.epoch > 0 or (run is not None and run.position.batch > _SETTLED)
