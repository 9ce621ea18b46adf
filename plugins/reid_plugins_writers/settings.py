"""Which writers a run has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, PositiveInt, model_validator

if TYPE_CHECKING:
    from reidcore.engine import Engine


class TensorBoardSettings(BaseModel, extra="forbid"):
    """``settings.writers.tensorboard``; true and false stand for ``enabled`` alone.

    Attributes:
        enabled: write event files into ``data.save_dir``.
        images: with training images as the network sees them, and ranked results where
            ``test.visrank`` has them drawn.
        image_epochs: training images at the first batch of the run and in every so many epochs.
        hparams: with the configuration as hyper-parameters.
    """

    enabled: bool = True
    images: bool = True
    image_epochs: PositiveInt = 10
    hparams: bool = True

    @model_validator(mode="before")
    @classmethod
    def _from_switch(cls, given: Any) -> Any:
        return {"enabled": given} if isinstance(given, bool) else given


class WritersSettings(BaseModel, extra="forbid"):
    """``settings.writers``.

    Attributes:
        console: draw a live line on a terminal.
        tensorboard: write event files into ``data.save_dir``, and what they have.
        jsonl: write ``metrics.jsonl`` into ``data.save_dir``.
        log: append what is told to ``train.log`` or ``test.log`` in ``data.save_dir``.
        config: write ``resolved_config.yaml`` or ``resolved_test_config.yaml`` there.
    """

    console: bool = True
    tensorboard: TensorBoardSettings = TensorBoardSettings()
    jsonl: bool = True
    log: bool = True
    config: bool = True


def settings_of(engine: Engine) -> WritersSettings:
    """Return a run's settings; an engine built by hand has the defaults."""
    given = ((engine.config or {}).get("settings") or {}).get("writers") or {}
    return WritersSettings.model_validate(given)
