"""One step of a road alone, after others that were typed by hand."""

from __future__ import annotations

import pytest
from reid_plugins_start.journal import Entry, Journal
from reid_plugins_start.run_steps import walk
from reid_plugins_start.single_step import do_alone
from reid_plugins_start.step import Step

from reidcore.errors import UserError


@pytest.fixture
def steps(tmp_path):
    """Three steps, of which the second may fail; each leaves a file of its name."""
    return [
        Step(name, name, [name], products=[tmp_path / name], needed=name != "export")
        for name in ("train", "export", "hand-over")
    ]


def states(journal):
    return {name: entry.state for name, entry in Journal.read(journal.file).entries.items()}


def test_steps_whose_files_are_there_are_taken_for_done(ran, journal, steps, tmp_path, capsys):
    (tmp_path / "train").touch(), (tmp_path / "export").touch()
    do_alone(steps, journal, "hand-over", ["-p", "own.py"])
    assert ran == [["-p", "own.py", "hand-over"]]
    told = capsys.readouterr().out
    assert "[9/9] hand-over: hand-over\n      $ reidcore -p own.py hand-over\n" in told
    assert journal.entries["train"].command == "reidcore -p own.py train"
    (tmp_path / "hand-over").touch()
    walk(steps, Journal.read(journal.file), 3, ["-p", "own.py"])
    assert len(ran) == 1  # the whole road has nothing left to do


def test_a_step_that_is_not_done_is_told_with_its_command(ran, journal, steps):
    with pytest.raises(UserError, match=r"'train' comes before.*no '.*train'. Do it first: reid"):
        do_alone(steps, journal, "hand-over")
    assert ran == []


def test_one_that_is_not_needed_counts_as_failed(ran, journal, steps, tmp_path):
    (tmp_path / "train").touch()
    do_alone(steps, journal, "hand-over")
    assert states(journal) == {"train": "done", "export": "failed", "hand-over": "done"}
    assert journal.entries["export"].told == "reidcore export was not run"


def test_what_a_road_knows_of_a_failure_stays(ran, journal, steps, tmp_path):
    (tmp_path / "train").touch()
    key = steps[1].key(f"{steps[0].key('')} done")
    journal.note("export", Entry("failed", key, told="too few pairs"))
    do_alone(steps, journal, "hand-over")
    assert journal.entries["export"].told == "too few pairs"


def test_a_step_before_it_that_was_done_from_something_else_is_refused(
    ran, journal, steps, tmp_path
):
    (tmp_path / "train").touch()
    journal.note("train", Entry("done", "another key"))
    with pytest.raises(UserError, match="what it is made from has changed"):
        do_alone(steps, journal, "hand-over")


def test_a_step_is_done_anew_and_what_is_left_out_is_told(ran, journal, steps, tmp_path, capsys):
    (tmp_path / "train").touch()
    for _ in range(2):
        do_alone(steps, journal, "train")
    assert ran == [["train"], ["train"]]
    earlier = tmp_path / "of an earlier road"
    earlier.touch()
    without = Step("export", "", left_out="no reason", otherwise=earlier.unlink)
    do_alone([steps[0], without], journal, "export")
    assert "left out: no reason" in capsys.readouterr().out
    assert not earlier.exists()
    assert states(journal)["export"] == "left out"
