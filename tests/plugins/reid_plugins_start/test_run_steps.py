"""Going a road: what is done, done again, or told."""

from __future__ import annotations

import json

import pytest
from reid_plugins_start.journal import Journal
from reid_plugins_start.run_steps import show, walk
from reid_plugins_start.step import Step

from reidcore.errors import DataError, UserError


def go(steps, journal):
    walk(steps, Journal.read(journal.file), len(steps))


def states(journal):
    return {name: entry.state for name, entry in Journal.read(journal.file).entries.items()}


def test_a_step_is_done_once_and_again_where_what_it_is_made_from_changes(ran, journal, capsys):
    steps = [Step("one", "first", ["a"]), Step("two", "second", ["b", "c d"])]
    go(steps, journal)
    go(steps, journal)
    assert ran == [["a"], ["b", "c d"]]
    out = capsys.readouterr().out
    assert "[2/2] two: second\n      $ reidcore b 'c d'\n" in out
    assert "[1/2] one: first (done already)" in out
    go([Step("one", "first", ["a"], made_from=["other data"]), steps[1]], journal)
    assert ran[2:] == [["a"], ["b", "c d"]]
    go([Step("one", "first", ["a"], made_from=["other data"]), Step("two", "", ["e"])], journal)
    assert ran[4:] == [["e"]]


def test_a_product_that_is_gone_is_made_again(ran, journal, tmp_path):
    product = tmp_path / "product"
    steps = [Step("one", "first", ["a"], products=[product], act=product.touch)]
    go(steps, journal)
    go(steps, journal)
    product.unlink()
    go(steps, journal)
    assert len(ran) == 2


def test_standard_output_goes_to_a_file_whole(ran, journal, tmp_path):
    go([Step("one", "first", ["a"], stdout=tmp_path / "out.json")], journal)
    assert json.loads((tmp_path / "out.json").read_text()) == {}
    with pytest.raises(UserError):
        go([Step("one", "first", ["fail"], stdout=tmp_path / "new.json")], journal)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.json", "start.json"]


def test_a_step_that_is_needed_ends_the_road_and_is_tried_again(ran, journal):
    steps = [Step("one", "first", ["a"]), Step("two", "", ["fail"]), Step("three", "", ["c"])]
    with pytest.raises(UserError, match="the step 'two' ended with exit code 2"):
        go(steps, journal)
    assert states(journal) == {"one": "done", "two": "failed"}
    go([steps[0], Step("two", "", ["b"]), steps[2]], journal)
    assert ran == [["a"], ["fail"], ["b"], ["c"]]


def test_a_step_that_is_not_needed_is_told_and_the_road_goes_on(ran, journal, capsys):
    otherwise = []
    steps = [
        Step("one", "", ["fail"], needed=False, otherwise=lambda: otherwise.append(1)),
        Step("two", "", ["b"]),
    ]
    go(steps, journal)
    entry = Journal.read(journal.file).entries["one"]
    assert (entry.state, entry.told) == ("failed", "too few pairs. Give more")
    assert otherwise == [1]
    assert "Usage: x" in capsys.readouterr().err
    go(steps, journal)
    assert ran == [["fail"], ["b"], ["fail"]]  # tried again, and what follows is not done anew


def test_a_step_of_start_itself_is_printed_and_no_process_is_started_for_it(ran, journal, capsys):
    done = []
    go([Step("one", "first", ["start", "x"], is_own=True, act=lambda: done.append(1))], journal)
    assert (ran, done) == ([], [1])
    assert "      $ reidcore start x\n" in capsys.readouterr().out


def test_what_an_act_refuses_counts_as_the_steps_failure(ran, journal):
    def refuse():
        raise DataError("damaged files", "Remove them")

    with pytest.raises(DataError, match="damaged files"):
        go([Step("one", "", ["a"], act=refuse)], journal)
    assert states(journal) == {"one": "failed"}


def test_a_step_that_was_stopped_goes_on_and_another_begins(ran, journal):
    begun = []

    def step(*words):
        return Step("one", "", words, further=lambda began: begun.append(began) or ["--more"])

    with pytest.raises(KeyboardInterrupt):
        go([step("stop")], journal)
    assert states(journal) == {"one": "running"}
    with pytest.raises(KeyboardInterrupt):
        go([step("stop")], journal)
    go([step("a")], journal)
    assert begun[0] is None
    assert begun[1] > 0
    assert begun[2] is None
    assert ran[-1] == ["a", "--more"]
    assert Journal.read(journal.file).entries["one"].command == "reidcore a"


def test_what_is_left_out_is_told_with_its_reason(ran, journal, capsys):
    go([Step("one", "first", ["a"], left_out="no identities are kept")], journal)
    assert ran == []
    assert states(journal) == {"one": "left out"}
    assert "left out: no identities are kept" in capsys.readouterr().out


def test_showing_a_road_does_nothing(ran, journal, capsys):
    go([Step("one", "first", ["a"])], journal)
    steps = [Step("one", "first", ["a"]), Step("two", "second", ["b"])]
    show(steps, Journal.read(journal.file), 2)
    assert ran == [["a"]]
    assert "$ reidcore b" in capsys.readouterr().out
    assert states(journal) == {"one": "done"}


def test_forgotten_steps_are_done_anew(ran, journal):
    steps = [Step("one", "", ["a"]), Step("two", "", ["b"])]
    go(steps, journal)
    Journal.read(journal.file).forget(["two"])
    go(steps, journal)
    assert ran == [["a"], ["b"], ["b"]]


@pytest.mark.parametrize("text", ["{}", '{"format": 9, "steps": {}}', '{"format": 1, "steps": 1}'])
def test_a_journal_that_is_none_is_told(tmp_path, text):
    (tmp_path / "start.json").write_text(text)
    with pytest.raises(DataError, match="does not say how far"):
        Journal.read(tmp_path / "start.json")
