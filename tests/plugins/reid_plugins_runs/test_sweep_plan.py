"""What ``--sweep`` means: values, combinations and names of folders."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_runs.sweep_plan import plan_sweep, split_values

from reidcore.errors import UserError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2, 3", ["1", "2", "3"]),
        ("[1,2]", ["[1,2]"]),
        ("[[20,40],[30,60]]", ["[[20,40],[30,60]]"]),
        ("[20,40],[30,60]", ["[20,40]", "[30,60]"]),
        ("{a: 1, b: 2},null", ["{a: 1, b: 2}", "null"]),
        ("(1,2),x", ["(1,2)", "x"]),
        ("'a,b',\"c,]\"", ["'a,b'", '"c,]"']),
        ("it's,fine", ["it's", "fine"]),
        ("", [""]),
    ],
)
def test_values_stand_between_commas_outside_of_brackets_and_quotes(text, values) -> None:
    assert split_values(text) == values


@given(st.lists(st.text("ab1.-", min_size=1), min_size=1, max_size=4, unique=True))
def test_plain_values_are_read_as_they_are(values) -> None:
    runs = plan_sweep([f"train.lr={','.join(values)}"])
    assert [run.values["train.lr"] for run in runs] == values
    assert len({run.name for run in runs}) == len(values)


def test_several_sweeps_make_every_combination() -> None:
    runs = plan_sweep(["train.seed=1,2", "train.lr=0.1,0.2"], ["train.max_epoch=3"])
    assert [run.name for run in runs] == [
        "train.seed=1,train.lr=0.1",
        "train.seed=1,train.lr=0.2",
        "train.seed=2,train.lr=0.1",
        "train.seed=2,train.lr=0.2",
    ]
    assert runs[1].overrides == ["train.seed=1", "train.lr=0.2"]
    assert runs[0].folder("log").as_posix() == "log/train.seed=1,train.lr=0.1"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_a_name_is_that_of_one_folder_and_of_one_value(texts) -> None:
    try:
        runs = plan_sweep([f"data.root={','.join(texts)}"])
    except UserError:
        return
    names = [run.name for run in runs]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w.+=,-]+", name) and len(name.encode()) < 600 for name in names)
    assert not set(names) & {".", ".."}


def test_a_name_does_not_depend_on_the_other_values() -> None:
    short, long = plan_sweep(["train.stepsize=[1,2]"]), plan_sweep(["train.stepsize=[1 2],[1,2]"])
    assert short[0].name == long[1].name != long[0].name
    assert short[0].name.startswith("train.stepsize=1_2-")


@pytest.mark.parametrize(
    ("sweeps", "overrides", "told"),
    [
        (["train.seed"], [], "no KEY=VALUE,VALUE"),
        (["seed=1,2"], [], "no KEY=VALUE,VALUE"),
        (["train.seed="], [], "has no value"),
        (["train.seed=1,,2"], [], "a value of no characters"),
        (["train.seed=1,2,1"], [], "has '1' twice"),
        (["train.seed=1", "train.seed=2"], [], "has train.seed twice"),
        (["train.seed=1,2"], ["train.seed=5"], "swept, and set to '5'"),
        (["data.save_dir=a,b"], [], "cannot have data.save_dir"),
        (["test.evaluate=true,false"], [], "cannot have test.evaluate"),
        (["model.resume=a,b"], [], "cannot have model.resume"),
        (["train.stepsize=[1,2"], [], "lacks a closing"),
    ],
)
def test_bad_input_is_refused(sweeps, overrides, told) -> None:
    with pytest.raises(UserError, match=re.escape(told)):
        plan_sweep(sweeps, overrides)
