"""Alarms: what is wrong with a training run, told in one line with the remedy, once a run.

Each alarm looks where figures are shown and at the ends of epochs, so that a step costs nothing. An
alarm is a subclass of `Alarm`; ``settings.training.alarms`` turns each off by its name.
"""

from __future__ import annotations

from reid_plugins_training.alarms.alarm import Alarm, Watch
from reid_plugins_training.alarms.data import NeverSampled, WaitingForData
from reid_plugins_training.alarms.features import CollapsedFeatures, StuckTriplet
from reid_plugins_training.alarms.learning import NoGradient, ZeroRate
from reid_plugins_training.settings import AlarmSettings
from reidcore.engine import Engine

__all__ = ["ALARMS", "Alarm", "Watch", "watch_of"]

ALARMS: dict[str, type[Alarm]] = {
    "triplet": StuckTriplet,
    "collapse": CollapsedFeatures,
    "gradients": NoGradient,
    "rate": ZeroRate,
    "classes": NeverSampled,
    "waiting": WaitingForData,
}
"""Key of ``settings.training.alarms`` -> the alarm that it turns off."""


def watch_of(engine: Engine) -> Watch:
    """Return the alarms of an engine's run; one built by hand has all of them."""
    given = ((engine.config or {}).get("settings") or {}).get("training") or {}
    chosen = AlarmSettings.model_validate(given.get("alarms") or {})
    return Watch(alarm() for name, alarm in ALARMS.items() if getattr(chosen, name))
