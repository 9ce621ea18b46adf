"""The guarded step: batches whose loss is not finite are left out, but not without end."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.engine import Engine, StepOutcome
    from reidcore.registry import ConfigRegistrar

_log = logging.getLogger(__name__)


class Settings(BaseModel, extra="forbid"):
    """``settings.acme_guard``.

    Attributes:
        patience: how many batches in a row may be left out.
    """

    patience: int = Field(default=10, ge=1)


class Guard:
    """The plugin.

    Attributes:
        skipped: batches left out in this run.
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self.skipped = 0
        self._in_a_row = 0

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Have ``settings.acme_guard`` checked."""
        registry.settings(Settings)

    @hookimpl
    def reid_configure(self, config: Config) -> None:
        """Take the settings."""
        self.settings = config.settings.get("acme_guard", self.settings)

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine) -> Generator[None, StepOutcome, StepOutcome]:
        """Take the step, or leave the batch out; the weights are then as they were."""
        # Imported here, so that listing plugins needs no torch.
        from reidcore.engine import StepOutcome

        try:
            outcome = yield
        except FloatingPointError as error:
            self._in_a_row += 1
            if self._in_a_row > self.settings.patience:
                raise
            self.skipped += 1
            _log.warning("A batch of epoch %d is left out: %s", engine.epoch + 1, error)
            return StepOutcome.skipped()
        self._in_a_row = 0
        return outcome

    @hookimpl
    def reid_checkpoint_save(self) -> dict[str, Any]:
        """Keep the count over a resume."""
        return {"skipped": self.skipped}

    @hookimpl
    def reid_checkpoint_load(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self.skipped = int(state["skipped"])

    @hookimpl
    def reid_run_end(self) -> None:
        """Say how many batches were left out, and forget them."""
        if self.skipped:
            _log.info("acme_guard: %d batches were left out", self.skipped)
        self.skipped = self._in_a_row = 0


guard = Guard()
