"""Writers are chosen by settings, and replaced by plugins."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl
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
