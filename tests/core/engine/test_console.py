"""What a run shows."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console
from rich.table import Table

from reidcore.engine.console import BarDisplay, PlainDisplay, Position, make_display, show


def test_plain_lines_come_every_print_freq_batches_and_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    display = PlainDisplay(print_freq=2)
    shown = [
        display.step(Position(1, 2, batch, 5), lambda: "loss 1.0", 2.0) for batch in range(1, 6)
    ]
    assert shown == [False, True, False, True, True]
    assert "epoch: [1/2][2/5]" in caplog.text
    assert "eta 0:00:16" in caplog.text  # 3 batches of this epoch and 5 of the next, 2 s each


def test_figures_are_read_only_when_they_are_shown() -> None:
    def figures() -> str:
        raise AssertionError("reading waits for the device")

    PlainDisplay(print_freq=10).step(Position(1, 1, 3, 20), figures, 0.1)


def test_a_terminal_gets_a_bar_with_figures_and_eta() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    display = BarDisplay(console, print_freq=1)
    display.step(Position(2, 3, 5, 5), lambda: "loss 0.5", 1.0)
    batches = list(display.track([{"impath": ["a"]}], "market1501: query"))
    display.close()
    assert len(batches) == 1
    text = stream.getvalue()
    for expected in ("epoch 2/3", "5/5", "loss 0.5", "eta 0:00:05", "market1501: query"):
        assert expected in text


def test_a_pipe_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert isinstance(make_display(10), PlainDisplay)


def test_tables_go_to_the_log_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    table = Table("Target", "mAP")
    table.add_row("market1501", "84.9")
    show(table)
    assert "market1501" in caplog.text
    assert "84.9" in caplog.text
