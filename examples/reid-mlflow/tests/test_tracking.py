"""Tiny runs in a file store of MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from reid_mlflow import MLflow, Settings

from reidcore import hookimpl
from reidcore.errors import UserError
from reidcore.testing import tiny_run


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URI of an empty store."""
    return f"file:{tmp_path / 'mlruns'}"


def train(store: str, folder: Path, *overrides: str, plugins: tuple[Any, ...] = ()) -> None:
    plugin = MLflow(Settings(uri=store, experiment="tiny"))
    tiny_run(plugin, *plugins, save_dir=folder, overrides=overrides)


def runs_in(store: str) -> list[Run]:
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("tiny")
    return list(client.search_runs([experiment.experiment_id]))


def steps(store: str, run: Run, metric: str) -> list[int]:
    history = MlflowClient(tracking_uri=store).get_metric_history(run.info.run_id, metric)
    return [each.step for each in history]


def test_a_run_has_its_parameters_metrics_tags_and_files(store: str, tmp_path: Path) -> None:
    train(store, tmp_path / "log", "train.max_epoch=2", "train.lr=0.5")
    (run,) = runs_in(store)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.lr"] == "0.5"
    assert run.data.params["data.sources"] == "['tiny']"
    assert run.data.metrics["test/tiny/mAP"] > 0
    assert steps(store, run, "train/softmax") == [1, 2]
    assert steps(store, run, "test/tiny/rank1") == [2]
    assert run.data.tags["checkpoint"].endswith("model.pth.tar-2")
    assert "version.torch" in run.data.tags
    files = MlflowClient(tracking_uri=store).list_artifacts(run.info.run_id)
    assert {file.path for file in files} == {"results.json", "resolved_config.yaml"}


def test_a_resumed_run_goes_on_in_its_own_and_logs_nothing_twice(
    store: str, tmp_path: Path
) -> None:
    """As of a run that was killed in its second epoch."""
    words = ("train.max_epoch=2", "test.eval_freq=1")
    train(store, tmp_path / "log", *words)
    resume = f"model.resume={tmp_path / 'log' / 'model.pth.tar-1'}"
    train(store, tmp_path / "log", *words, resume)
    (run,) = runs_in(store)
    assert steps(store, run, "train/lr") == [1, 2]
    assert steps(store, run, "test/tiny/mAP") == [1, 2]


def test_a_run_that_fails_is_marked(store: str, tmp_path: Path) -> None:
    class Trouble:
        @hookimpl
        def reid_epoch_start(self) -> None:
            raise RuntimeError("in the first epoch")

    with pytest.raises(RuntimeError):
        train(store, tmp_path / "log", plugins=(Trouble(),))
    assert [run.info.status for run in runs_in(store)] == ["FAILED"]


def test_a_store_that_cannot_be_opened_is_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--no-plugin mlflow"):
        train(f"file:{tmp_path / 'file'}", tmp_path / "log")
    assert not list((tmp_path / "log").glob("*.pth.tar*"))


def test_one_that_fails_later_is_left_out(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    class Fill:
        @hookimpl
        def reid_epoch_start(self) -> None:
            monkeypatch.setattr(MlflowClient, "log_batch", full)

    train(store, tmp_path / "log", plugins=(Fill(),))
    assert (tmp_path / "log" / "results.json").exists()
    assert caplog.text.count("no space left on device") == 1
