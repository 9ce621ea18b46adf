"""What a run logs by itself, whatever plugins show."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.engine.run import Position
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld

MakeEngine = Callable[..., Engine]


def test_the_rest_of_a_run_is_counted_over_its_epochs() -> None:
    position = Position(epoch=1, max_epoch=2, batch=2, num_batches=5, seconds_per_batch=2.0)
    assert position.batches_left == 8
    assert position.eta == timedelta(seconds=16)


def test_lines_come_every_print_freq_batches_and_at_the_end_of_an_epoch(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    make_engine().run(save_dir=str(tmp_path), max_epoch=2, print_freq=2)
    steps = [text.split("  ")[0] for text in caplog.messages if text.startswith("epoch: [")]
    assert steps == [
        "epoch: [1/2][2/3]",
        "epoch: [1/2][3/3]",
        "epoch: [2/2][2/3]",
        "epoch: [2/2][3/3]",
    ]
    assert "  eta 0:00:0" in caplog.text


def test_figures_are_read_only_when_they_are_due(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Counting:
        """Reading a figure waits for the device."""

        asked = 0

        @hookimpl
        def reid_figures(self) -> dict[str, float]:
            self.asked += 1
            return {}

    counting = Counting()
    make_engine(counting).run(save_dir=str(tmp_path), max_epoch=1, print_freq=10)
    assert counting.asked == 2  # after the last batch, and for the record


def test_a_run_without_writers_is_not_silent(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = make_engine()
    engine.plugins = make_plugins(extra=[TinyWorld()], disabled=["writers"])
    engine.run(save_dir=str(tmp_path), max_epoch=2)
    epochs = [text for text in caplog.messages if text.startswith(("epoch 1/2  ", "epoch 2/2  "))]
    assert len(epochs) == 2
    assert "softmax" in epochs[0]
    table = next(text for text in caplog.messages if "Results (%)" in text)
    assert "tiny" in table
    assert json.loads((tmp_path / "results.json").read_text())["finished"]
    assert engine.writer is None
    assert not list(tmp_path.glob("events.*"))


def test_the_last_to_open_is_the_last_to_close(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Late:
        """Writes a last figure when the run is over."""

        @hookimpl
        def reid_run_end(self, engine: Engine) -> None:
            assert engine.writer is not None
            engine.writer.add_scalar("Train/last", 1.0, 1)

    make_engine(Late()).run(save_dir=str(tmp_path), max_epoch=1)
