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
from reid_plugins_writers.settings import opened_writers

from reidcore import hookimpl
from reidcore.engine import Engine, RunPlan
from reidcore.errors import ConfigError
from reidcore.testing import tiny_run


def test_writers_are_turned_off_one_by_one(tmp_path: Path) -> None:
    overrides = ["settings.writers.tensorboard=false", "settings.writers.jsonl=false"]
    tiny_run(save_dir=tmp_path, overrides=overrides)
    assert not list(tmp_path.glob("events.*"))
    assert not (tmp_path / "metrics.jsonl").exists()


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


def test_a_writer_that_cannot_open_leaves_no_log_handler_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_terminal: Any
) -> None:
    def refuse(engine: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("reid_plugins_writers.tensorboard.TensorBoard", refuse)
    handler = log_to_terminal(make_terminal(80), monkeypatch)
    engine = an_engine(tmp_path)
    progress = engine.progress
    with pytest.raises(OSError, match="no space"), opened_writers(engine):
        pass
    assert logging.getLogger("reidcore").handlers == [handler]
    assert engine.progress is progress


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
    with pytest.raises(OSError, match="no space"):
        plugin.reid_run_end(engine)
    assert logging.getLogger("reidcore").handlers == [handler]
    engine.writer.close()


def test_only_the_main_process_writes_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reporter:
        reported = False

        @hookimpl
        def reid_report(self) -> None:
            self.reported = True

    monkeypatch.setattr(Engine, "is_main_process", False)
    reporter = Reporter()
    tiny_run(reporter, save_dir=tmp_path)
    assert not reporter.reported
    assert not list(tmp_path.glob("events.*"))
    assert not (tmp_path / "metrics.jsonl").exists()
