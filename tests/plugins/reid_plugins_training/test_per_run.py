"""What a trick keeps of a run is that run's alone."""

from __future__ import annotations

from typing import Any

from reid_plugins_training.per_run import PerRun


def test_runs_of_two_engines_share_nothing() -> None:
    kept: PerRun[str] = PerRun()
    one: Any = object()
    other: Any = object()
    kept.start(one, "first")
    kept.resume(other, {"steps": 3})
    assert (kept.get(one), kept.get(other)) == ("first", None)
    assert (kept.resumed(one), kept.resumed(other)) == ({}, {"steps": 3})
    assert kept.end(one) == "first"
    assert kept.get(one) is None


def test_a_run_that_did_not_begin_leaves_no_state_for_the_next() -> None:
    kept: PerRun[str] = PerRun()
    engine: Any = object()
    kept.resume(engine, {"steps": 3})
    assert kept.end(engine) is None
    assert kept.resumed(engine) == {}
