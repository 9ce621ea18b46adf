"""Runs of reidcore in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_mlflow.tracker import Tracker
    from reidcore.config import Config
    from reidcore.engine import Engine, TargetResult
    from reidcore.registry import ConfigRegistrar


class Settings(BaseModel, extra="forbid"):
    """``settings.mlflow``.

    Attributes:
        uri: of the tracking server or store.
        experiment: its name; made if it is not there.
        name: of the run; empty for the name of its folder.
    """

    uri: str = "file:mlruns"
    experiment: str = "reidcore"
    name: str = ""


class MLflow:
    """The plugin: each engine's run has a run of MLflow.

    Args:
        settings: where no configuration gives any.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        # By the engine's id: entries live from a run's start, or resumption, to its end.
        self._open: dict[int, Tracker] = {}
        self._resumed: dict[int, str] = {}

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Have ``settings.mlflow`` checked."""
        registry.settings(Settings)

    @hookimpl
    def reid_configure(self, config: Config) -> None:
        """Take the settings."""
        self.settings = config.settings.get("mlflow", self.settings)

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> dict[str, Any] | None:
        """Keep the id of MLflow's run."""
        tracker = self._open.get(id(engine))
        return {"run_id": tracker.run_id} if tracker else None

    @hookimpl
    def reid_checkpoint_load(self, engine: Engine, state: Mapping[str, Any]) -> None:
        """Go on in that run."""
        self._resumed[id(engine)] = str(state["run_id"])

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Open the store, which takes a moment; of several processes the first one logs."""
        resumed = self._resumed.pop(id(engine), None)
        if engine.plan.test_only or not engine.is_main_process:
            return
        from reid_mlflow.tracker import Tracker

        self._open[id(engine)] = Tracker(engine, self.settings, resumed)

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Log the averages of the epoch."""
        if tracker := self._open.get(id(engine)):
            tracker.log_epoch(engine)

    @hookimpl
    def reid_report(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Log the figures of a test."""
        if tracker := self._open.get(id(engine)):
            tracker.log_test(engine, results)

    @hookimpl(trylast=True)
    def reid_run_end(self, engine: Engine, error: BaseException | None) -> None:
        """Log the files of the run, and how it ended."""
        if tracker := self._open.pop(id(engine), None):
            tracker.end(engine, error)


PLUGIN = MLflow()
