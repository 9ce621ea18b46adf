"""Which writers a run has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from reidcore.engine import Engine


class WritersSettings(BaseModel, extra="forbid"):
    """``settings.writers``.

    Attributes:
        console: draw a live line on a terminal.
        tensorboard: write event files into ``data.save_dir``.
        jsonl: write ``metrics.jsonl`` into ``data.save_dir``.
        log: append what is told to ``train.log`` or ``test.log`` in ``data.save_dir``.
        config: write ``resolved_config.yaml`` or ``resolved_test_config.yaml`` there.
    """

    console: bool = True
    tensorboard: bool = True
    jsonl: bool = True
    log: bool = True
    config: bool = True


def settings_of(engine: Engine) -> WritersSettings:
    """Return a run's settings; an engine built by hand has the defaults."""
    given = ((engine.config or {}).get("settings") or {}).get("writers") or {}
    return WritersSettings.model_validate(given)
