"""One rule of how many processors there are, for all who start threads or processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reidcore.inference.prefetch import default_workers
from reidcore.utils import usable_cpus

ROOT = Path(__file__).parents[2]


def test_the_cpus_that_are_left_to_a_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert usable_cpus() == default_workers() == 3


@pytest.mark.parametrize(("told", "counted"), [(6, 6), (None, 1)])
def test_those_of_the_machine_count_where_no_more_is_known(
    monkeypatch: pytest.MonkeyPatch, told: int | None, counted: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert usable_cpus() == counted


def test_nobody_counts_them_in_a_way_of_their_own() -> None:
    rooms = ("reidcore", "plugins", "reid_plugins_datasets", "reid_plugins_osnet")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    counting = [file.name for file in files if "sched_getaffinity" in file.read_text("utf-8")]
    assert counting == ["_cpus.py"]
