"""``train.keep_memory``: in the process of a command that trains on the CPU, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reidcore import _memory
from reidcore.cli import run_config
from reidcore.testing import tiny_run
from tests.cli.conftest import SMALL, run_in


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often memory was kept; this process goes on as it was."""
    calls: list[bool] = []

    def keep() -> bool:
        calls.append(True)
        return True

    monkeypatch.setattr(_memory, "keep_memory", keep)
    monkeypatch.setattr(run_config, "keep_memory", keep)
    return calls


def test_a_training_keeps_memory_and_records_its_peak(tmp_path: Path, kept: list[bool]) -> None:
    assert run_in(tmp_path, "run", "quickstart", *SMALL).code == 0
    assert kept == [True]
    record = json.loads((tmp_path / "log/quickstart/results.json").read_text())
    assert record["peak_memory"]["process"] > 10 << 20
    assert record["peak_memory"]["cuda"] is None
    kept.clear()
    checkpoint = tmp_path / "log/quickstart/model.pth.tar-1"
    assert run_in(tmp_path, "test", checkpoint).code == 0
    assert not kept


def test_it_may_be_switched_off(tmp_path: Path, kept: list[bool]) -> None:
    assert run_in(tmp_path, "run", "quickstart", *SMALL, "train.keep_memory=false").code == 0
    assert not kept


def test_a_run_by_hand_leaves_the_process_as_it_is(tmp_path: Path, kept: list[bool]) -> None:
    tiny_run(save_dir=tmp_path)
    assert not kept
