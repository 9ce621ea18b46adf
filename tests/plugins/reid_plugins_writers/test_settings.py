"""Writers are chosen by settings, and replaced by plugins."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reid_plugins_writers import Writers
from reid_plugins_writers.log_file import RunLog
from reid_plugins_writers.run_writers import RunWriters

from reidcore import hookimpl
from reidcore.engine import Engine, RunPlan
from reidcore.errors import ConfigError
from reidcore.testing import tiny_run


def test_writers_are_turned_off_one_by_one(tmp_path: Path) -> None:
    names = ("tensorboard", "jsonl", "log", "config")
    tiny_run(save_dir=tmp_path, overrides=[f"settings.writers.{name}=false" for name in names])
    left = {path.name for path in tmp_path.iterdir()} - {"data", "model-best.pth.tar"}
    of_others = {"per_query.npz", "provenance.json", "report_tiny.npz"}  # plugins' beside writers
    assert left == {"model.pth.tar-1", "results.json"} | of_others


def test_a_mistyped_writer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings\.writers\.tensorbord"):
        tiny_run(save_dir=tmp_path, overrides=["settings.writers.tensorbord=false"])


def test_a_third_party_replaces_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ticker:
        """Writes a dot for each step and the name of each target."""

        def __init__(self) -> None:
            self.written = io.StringIO()

        @hookimpl
        def reid_step_end(self) -> None:
            self.written.write(".")

        @hookimpl
        def reid_report(self, results: Any) -> None:
            self.written.write(" ".join(results))

    monkeypatch.setenv("REIDCORE_DISABLE_PLUGINS", "writers")
    ticker = Ticker()
    tiny_run(ticker, save_dir=tmp_path)
    assert ticker.written.getvalue() == "...tiny"
    assert not list(tmp_path.glob("events.*"))


def an_engine(tmp_path: Path) -> Any:
    return SimpleNamespace(
        config=None,
        plan=RunPlan(save_dir=str(tmp_path)),
        writer=None,
        active_run=None,
        progress=lambda loader, label: loader,
        is_main_process=True,
    )


def log_to_terminal(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> logging.Handler:
    """Make a terminal the standard output, and let the core's logger write to it."""
    monkeypatch.setattr(sys, "stdout", terminal)
    handler = logging.StreamHandler(terminal)
    monkeypatch.setattr(logging.getLogger("reidcore"), "handlers", [handler])
    return handler


def test_a_writer_that_cannot_open_is_told_of_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_terminal: Any
) -> None:
    def refuse(self: Any, engine: Any) -> None:
        raise TypeError("Descriptors cannot be created directly")

    monkeypatch.setattr("reid_plugins_writers.tensorboard.TensorBoard.__init__", refuse)
    handler = log_to_terminal(make_terminal(80), monkeypatch)
    engine = an_engine(tmp_path)
    progress = engine.progress
    writers = RunWriters(engine, RunLog(), None)
    writers.close()
    left_out = "TensorBoard is left out, and the run goes on: Descriptors cannot be created"
    assert (tmp_path / "train.log").read_text().count(left_out) == 1
    assert logging.getLogger("reidcore").handlers == [handler]
    assert engine.progress is progress


@pytest.mark.parametrize("missing", ["tensorboard", "google.protobuf"])
def test_a_run_needs_no_tensorboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(("tensorboard", missing))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    result = tiny_run(save_dir=tmp_path).result
    assert result["finished"]
    assert (tmp_path / "train.log").read_text().count("TensorBoard is left out") == 1
    assert not list(tmp_path.glob("events.*"))
    assert (tmp_path / "metrics.jsonl").exists()


def test_a_writer_that_fails_later_is_told_of_once_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, line: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reid_plugins_writers.jsonl.JsonLines._append", refuse)
    assert tiny_run(save_dir=tmp_path).result["finished"]
    told = (tmp_path / "train.log").read_text()
    assert told.count("JsonLines is left out, and the run goes on") == 1
    assert "No space left on device" in told


def test_a_writer_that_cannot_close_keeps_no_other_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_terminal: Any
) -> None:
    def refuse(self: Any, engine: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("reid_plugins_writers.tensorboard.TensorBoard.close", refuse)
    handler = log_to_terminal(make_terminal(80), monkeypatch)
    engine = an_engine(tmp_path)
    plugin = Writers()
    plugin.reid_run_start(engine)
    assert logging.getLogger("reidcore").handlers != [handler]
    plugin.reid_run_end(engine, None)
    assert logging.getLogger("reidcore").handlers == [handler]
    assert "no space left" in (tmp_path / "train.log").read_text()
    engine.writer.close()


def test_only_the_main_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "is_main_process", False)
    tiny_run(save_dir=tmp_path)
    assert not list(tmp_path.glob("events.*"))
    for name in ("metrics.jsonl", "train.log", "resolved_config.yaml"):
        assert not (tmp_path / name).exists()
