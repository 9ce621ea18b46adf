"""A run on a busy machine is told why it is slow, once, and no other run is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from reid_plugins_training import busy_machine

from reidcore.testing import tiny_run


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def told(
    seconds: list[float],
    load: float,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> list[str]:
    """Return what a clock tells of epochs that take so many seconds."""
    now = 0.0
    monkeypatch.setattr(busy_machine, "monotonic", lambda: now)
    monkeypatch.setattr(busy_machine, "runnable_programs", lambda: load)
    monkeypatch.setattr(busy_machine, "usable_cpus", lambda: 2)
    clock = busy_machine.EpochClock()
    with caplog.at_level(logging.WARNING):
        for epoch, spent in enumerate(seconds, 1):
            clock.start()
            now += spent
            clock.stop(epoch)
    return caplog.messages


@pytest.mark.usefixtures("two_threads")
def test_a_slow_epoch_on_a_busy_machine_is_told_once_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (message,) = told([6, 7, 59, 61], 3.4, monkeypatch, caplog)
    assert "Epoch 3 took 59 s, the fastest 6 s: 3.4 threads want the machine's 2 CPUs" in message
    assert "OMP_NUM_THREADS=1" in message


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("seconds", "load"),
    [
        pytest.param([59, 6], 3.4, id="the first may well be the slowest"),
        pytest.param([6, 11], 3.4, id="not twice as slow"),
        pytest.param([0.1, 0.5], 3.4, id="not worth a word"),
        pytest.param([6, 59], 1.9, id="not the machine's fault"),
        pytest.param([6, 59], 0.0, id="no load average"),
    ],
)
def test_nothing_else_is_told(
    seconds: list[float],
    load: float,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert told(seconds, load, monkeypatch, caplog) == []


def test_one_thread_has_nobody_to_wait_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert told([6, 59], 3.4, monkeypatch, caplog) == []


def test_a_system_without_a_load_average_is_no_busy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(busy_machine.os, "getloadavg", raising=False)
    assert busy_machine.runnable_programs() == 0.0


@pytest.mark.usefixtures("two_threads")
def test_a_run_has_the_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    epochs = iter([0.0, 6.0, 6.0, 65.0])  # the first takes 6 s, the second 59 s
    monkeypatch.setattr(busy_machine, "monotonic", lambda: next(epochs))
    monkeypatch.setattr(busy_machine, "runnable_programs", lambda: 99.0)
    with caplog.at_level(logging.WARNING):
        tiny_run(save_dir=tmp_path, overrides=["train.max_epoch=2"])
    assert [m for m in caplog.messages if "Epoch 2 took 59 s, the fastest 6 s" in m]
