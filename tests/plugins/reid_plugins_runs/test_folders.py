"""Reading the folders of runs, damaged ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reid_plugins_runs.folders import find_runs

from reidcore._run_folder import sole_writer
from reidcore.errors import UserError

RECORD = (
    '{"format": 1, "finished": true, "training": [], "timings": {}, "config": %s, "targets": %s}'
)


def test_runs_are_found_below_a_folder_once_each(write_run, tmp_path) -> None:
    for name in ("log/b", "log/a", "log/a/inner"):
        write_run(name)
    write_run("log/b/earlier-1")
    found = find_runs([tmp_path / "log", tmp_path / "log" / "a"])
    names = [run.path.relative_to(tmp_path).as_posix() for run in found.runs]
    assert names == ["log/a", "log/a/inner", "log/b"]
    (earlier,) = find_runs([tmp_path / "log/b/earlier-1"]).runs
    assert earlier.state == "finished"


def test_a_run_says_how_far_it_came(write_run) -> None:
    folder = write_run("whole", epochs=3, train__max_epoch=3)
    (run,) = find_runs([folder]).runs
    assert (run.state, run.epochs, run.max_epoch, run.seconds) == ("finished", 3, 3, 12.5)
    assert run.average("mAP") == 0.5
    assert run.average("mAP of nobody") is None
    staged = write_run("staged", epochs=5, max_epoch=5, train__max_epoch=3)
    assert [each.max_epoch for each in find_runs([staged]).runs] == [5]
    with sole_writer(folder):
        (run,) = find_runs([folder]).runs
        assert (run.state, run.seconds, run.average("mAP")) == ("running", 6.0, 0.5)
    (run,) = find_runs([write_run("part", None, is_finished=False)]).runs
    assert (run.state, run.average("mAP")) == ("stopped", None)


def test_epochs_are_those_of_all_stages(write_run) -> None:
    """A prompt stage of 2 epochs before a main one of 1: as lines say, or not at all."""
    folder = write_run("staged", epochs=3, train__max_epoch=1)
    (run,) = find_runs([folder]).runs
    assert (run.epochs, run.max_epoch) == (3, None)
    for wanted in (2, 3):
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"kind": "step", "epoch": 1, "max_epoch": wanted}) + "\n")
    (run,) = find_runs([folder]).runs
    assert (run.epochs, run.max_epoch) == (3, 3)


def test_the_lock_of_a_run_that_was_killed_says_nothing(write_run) -> None:
    folder = write_run("killed")
    (folder / "results.json").unlink()
    (folder / ".reidcore-lock").write_text("process 1 on a host since long ago")
    (run,) = find_runs([folder]).runs
    assert (run.state, run.epochs, dict(run.config)) == ("stopped", 3, {})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "results.json"),
        ("[1, 2]", "no record of a run: all of it"),
        ('{"results": 1}', "no record of a run: format"),
        ('{"format": 2}', "no record of a run: format"),
        (RECORD % ('{"data": 3}', "{}"), "'data' is no section of keys"),
        (RECORD % ("null", '{"a": {"figures": [3]}}'), "a.figures: "),
        (RECORD % ("null", '{"a": {"intervals": 3}}'), "a.intervals: "),
    ],
)
def test_a_damaged_or_foreign_record_costs_no_other_run(
    write_run, tmp_path, content: str, told: str
) -> None:
    write_run("good")
    write_run("bad").joinpath("results.json").write_text(content)
    found = find_runs([tmp_path])
    assert [run.path.name for run in found.runs] == ["good"]
    (fault,) = found.faults
    assert told in fault
    assert str(tmp_path / "bad" / "results.json") in fault


def test_targets_of_another_kind_are_told(write_run, tmp_path) -> None:
    path = write_run("odd") / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"targets": {"shop": 3}}))
    (fault,) = find_runs([tmp_path]).faults
    assert "targets.shop" in fault


def test_a_line_under_way_is_left_out_and_damaged_ones_are_told(write_run) -> None:
    folder = write_run("log")
    metrics = folder / "metrics.jsonl"
    text = metrics.read_text()
    metrics.write_text(text + '{"kind": "epo')
    found = find_runs([folder])
    assert (found.runs[0].epochs, found.faults) == (3, [])
    metrics.write_text("\0\0\n[]\n" + text)
    found = find_runs([folder])
    assert found.runs[0].epochs == 3
    assert "2 damaged lines" in found.faults[0]


def test_a_folder_without_runs_and_one_that_is_not_there_are_refused(tmp_path) -> None:
    with pytest.raises(UserError, match="no run in"):
        find_runs([tmp_path])
    with pytest.raises(UserError, match="is not there"):
        find_runs([tmp_path / "nowhere"])
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is no folder"):
        find_runs([Path(tmp_path / "file")])


def test_tests_are_averaged_over_targets_and_apart_from_identities_held_out(write_run) -> None:
    folder = write_run("log", 0.25, epochs=2, targets=("shop", "street"))
    with (folder / "metrics.jsonl").open("a") as file:
        for epoch, value in ((1, 0.5), (2, 0.75), (2, float("nan"))):
            line = {"kind": "test", "epoch": epoch, "target": "validation", "mAP": value}
            file.write(json.dumps(line) + "\n")
    (run,) = find_runs([folder]).runs
    assert run.tested("mAP") == {2: 0.25}
    assert run.tested("mAP", is_held_out=True) == {1: 0.5, 2: 0.75}
