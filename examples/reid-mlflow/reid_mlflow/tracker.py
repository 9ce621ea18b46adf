"""One run in MLflow: what is logged when."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_SOURCE_NAME
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

from reidcore.errors import UserError
from reidcore.utils import checkpoints_in, environment

if TYPE_CHECKING:
    from reid_mlflow import Settings
    from reidcore.engine import Engine, TargetResult

_log = logging.getLogger(f"reidcore.{__name__}")

ARTIFACTS = ("results.json", "resolved_config.yaml")


class Tracker:
    """A run of MLflow that follows one of reidcore's.

    Args:
        engine: of a run that starts.
        settings: where it is kept.
        resumed: the id of the run that it goes on in; None for a new one.

    Attributes:
        run_id: MLflow's.

    Raises:
        UserError: if the store cannot be opened.
    """

    def __init__(self, engine: Engine, settings: Settings, resumed: str | None = None) -> None:
        if settings.uri.startswith("file:"):
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 wants to be asked
        try:
            self._client = MlflowClient(tracking_uri=settings.uri)
            self.run_id = self._known(resumed) or self._created(engine, settings)
        except (MlflowException, OSError) as error:
            raise UserError(
                f"MLflow at {settings.uri!r} cannot be used: {error}",
                "Give another settings.mlflow.uri, or leave the plugin out: --no-plugin mlflow",
            ) from error
        self._has_failed = False
        # What a run that was killed had logged after its last checkpoint comes again.
        self._logged = {each: self._steps(each) for each in ("train/lr", "test/epoch")}

    def log_epoch(self, engine: Engine) -> None:
        """Log the averages of the epoch that is done."""
        epoch = engine.record.history[-1]
        if epoch["epoch"] not in self._logged["train/lr"]:
            figures = {f"train/{name}": value for name, value in epoch.items() if name != "epoch"}
            self._log(figures, epoch["epoch"])

    def log_test(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Log the figures of each target."""
        history = engine.record.history
        epoch = history[-1]["epoch"] if history else engine.plan.start_epoch
        if epoch in self._logged["test/epoch"]:
            return
        figures: dict[str, float] = {"test/epoch": epoch}
        for target, result in results.items():
            found = result.ranking.summary(engine.plan.ranks) | result.ranking.further()
            figures |= {f"test/{target}/{name}": value for name, value in found.items()}
        self._log(figures, epoch)

    def end(self, engine: Engine, error: BaseException | None) -> None:
        """Log the files of the run, and how it ended."""
        folder, status = Path(engine.plan.save_dir), RunStatus.FINISHED
        if error is not None:
            is_wish = isinstance(error, KeyboardInterrupt)
            status = RunStatus.KILLED if is_wish else RunStatus.FAILED
        checkpoints = sorted(checkpoints_in(folder), key=lambda path: path.stat().st_mtime)
        if checkpoints:
            newest = str(checkpoints[-1].resolve())
            self._try(self._client.set_tag, self.run_id, "checkpoint", newest)
        for path in (folder / name for name in ARTIFACTS):
            if path.is_file():
                self._try(self._client.log_artifact, self.run_id, str(path))
        self._try(self._client.set_terminated, self.run_id, RunStatus.to_string(status))

    def _known(self, run_id: str | None) -> str | None:
        """Return the id of a run that is there, which goes on."""
        if run_id is None:
            return None
        try:
            self._client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
        except MlflowException:
            _log.warning("MLflow has no run %s any more: a new one is made", run_id)
            return None
        return run_id

    def _created(self, engine: Engine, settings: Settings) -> str:
        found = self._client.get_experiment_by_name(settings.experiment)
        experiment = (
            found.experiment_id if found else self._client.create_experiment(settings.experiment)
        )
        folder = Path(engine.plan.save_dir).resolve()
        tags = {
            MLFLOW_SOURCE_NAME: "reidcore run",
            "folder": str(folder),
            "device": str(engine.device),
            **{f"version.{name}": str(version) for name, version in environment().items()},
        }
        run_id: str = self._client.create_run(
            experiment, run_name=settings.name or folder.name, tags=tags
        ).info.run_id
        params = [
            Param(key, str(value)[:MAX_PARAM_VAL_LENGTH])
            for key, value in _leaves(engine.config or {})
        ]
        for begin in range(0, len(params), MAX_PARAMS_TAGS_PER_BATCH):
            some = params[begin : begin + MAX_PARAMS_TAGS_PER_BATCH]
            self._client.log_batch(run_id, params=some)
        return run_id

    def _steps(self, metric: str) -> set[int]:
        return {each.step for each in self._client.get_metric_history(self.run_id, metric)}

    def _log(self, figures: Mapping[str, Any], epoch: int) -> None:
        now = int(1000 * time.time())
        metrics = [
            Metric(name, float(value), now, epoch)
            for name, value in figures.items()
            if isinstance(value, int | float)
        ]
        self._try(self._client.log_batch, self.run_id, metrics=metrics)

    def _try(self, log: Callable[..., object], *arguments: Any, **options: Any) -> None:
        """Log something; a training is worth more than what is told of it."""
        if self._has_failed:
            return
        try:
            log(*arguments, **options)
        except (MlflowException, OSError) as error:
            self._has_failed = True
            _log.warning("MLflow is left out from here on, and the run goes on: %s", error)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a nested configuration under dotted keys."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
