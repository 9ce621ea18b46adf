"""How far a command is, on a terminal and elsewhere."""

from __future__ import annotations

import logging
import sys

import pytest

from reidcore import _progress
from reidcore._progress import progress


def test_progress_is_a_bar_on_a_terminal_and_silent_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("checking", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("checking", 3) as advance:
        advance(3)
    shown = capsys.readouterr()
    assert "checking" in shown.err
    assert "3/3" in shown.err
    assert shown.out == ""


def test_bytes_are_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress("unpacking", 2_000_000, is_bytes=True) as advance:
        advance(1_000_000)
    assert "1.0/2.0 MB" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("total", "is_bytes", "line"),
    [
        (2000, False, "extracting: 1,000 of 2,000"),
        (None, False, "extracting: 1,000"),
        (2000, True, "extracting: 1,000 of 2,000 bytes"),
    ],
)
def test_elsewhere_there_is_a_log_record_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    total: int | None,
    is_bytes: bool,
    line: str,
) -> None:
    caplog.set_level(logging.INFO, "reidcore")
    with progress("extracting", total, is_bytes) as advance:
        advance(600)
        assert caplog.messages == []
        monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", -1.0)
        advance(400)
    assert caplog.messages == [line]
