"""Which runs repeat one another, and what is averaged."""

from __future__ import annotations

import json
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_runs.comparison import Comparison
from reid_plugins_runs.folders import find_runs
from reid_plugins_runs.repeats import Figure, grouped, repeated


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_deviation_is_that_of_the_sample(values) -> None:
    figure = Figure.of(values)
    assert figure.mean == pytest.approx(sum(values) / len(values))
    assert figure.deviation == pytest.approx(stdev(values))
    assert figure.n == len(values)


def test_a_single_run_has_no_deviation() -> None:
    assert Figure.of([0.4125]).percent() == "41.2"
    assert Figure.of([0.4, 0.42, 0.44]).percent() == "42.0 ± 2.0"


def test_seeds_and_splits_are_averaged_and_other_keys_tell_runs_apart(write_run, tmp_path) -> None:
    for seed, value in ((1, 0.40), (2, 0.44)):
        write_run(f"a{seed}", value, train__seed=seed, data__split_id=seed)
    write_run("b", 0.5, train__lr=0.1, data__workers=7, data__root="elsewhere")
    first, second = grouped(find_runs([tmp_path]).runs)
    assert [run.path.name for run in first.runs] == ["a1", "a2"]
    assert first.name == f"{tmp_path / 'a'}*"
    assert first.figure("shop", "mAP") == Figure(
        pytest.approx(0.42), pytest.approx(stdev([0.40, 0.44])), 2
    )
    assert second.values == {"train.lr": 0.1}
    assert first.label == "train.lr=0.0003"


def test_runs_that_differ_in_much_are_told_by_their_names_first(write_run, tmp_path) -> None:
    much = {f"train__{key}": "x" * 20 for key in ("optim", "lr_scheduler", "amp", "speed", "step")}
    write_run("a")
    write_run("b", **much)
    labels = [group.label for group in grouped(find_runs([tmp_path]).runs)]
    assert labels[1].startswith(f"{tmp_path / 'b'}: train.")


def test_a_section_that_one_run_lacks_is_told_by_its_keys(write_run, tmp_path) -> None:
    write_run("a", settings__training={"ema": None})
    write_run("b", settings__training={"ema": {"decay": 0.999}})
    values = [group.values for group in grouped(find_runs([tmp_path]).runs)]
    assert values == [{}, {"settings.training.ema.decay": 0.999}]


def test_settings_that_an_older_run_did_not_have_are_off_in_it(write_run, tmp_path) -> None:
    write_run("a")
    write_run("b", settings__standard={"test_time": []}, settings__report={"queries": 12})
    write_run("c", settings__standard={"test_time": ["flip"]})
    values = [group.values for group in grouped(find_runs([tmp_path]).runs)]
    assert values == [{"settings.standard.test_time": each} for each in ([], ["flip"])]


def test_features_from_elsewhere_have_no_training(write_run, tmp_path) -> None:
    write_run("a", train__lr=0.5)
    path = write_run("b") / "results.json"
    record = json.loads(path.read_text())
    record["config"] = {"features": "f.npz", "test": record["config"]["test"]}
    path.write_text(json.dumps(record))
    values = [group.values for group in grouped(find_runs([tmp_path]).runs)]
    assert [each.get("train.lr") for each in values] == [0.5, None]


def test_each_run_may_stand_alone(write_run, tmp_path) -> None:
    for seed in (1, 2):
        write_run(f"a{seed}", train__seed=seed)
    groups = grouped(find_runs([tmp_path]).runs, is_each_alone=True)
    assert [group.values for group in groups] == [{"train.seed": 1}, {"train.seed": 2}]


def test_a_key_that_an_older_version_lacks_does_not_part_runs(write_run, tmp_path) -> None:
    write_run("old", train__seed=1)
    write_run("new", train__seed=2, rmsprop__momentum=0.0)
    write_run("other", train__seed=3, adam__amount=0.5)  # of the optimizer in use
    groups = grouped(find_runs([tmp_path]).runs)
    assert [[run.path.name for run in group.runs] for group in groups] == [
        ["new", "old"],
        ["other"],
    ]


def test_a_key_that_an_older_core_lacks_is_at_its_default(write_run, tmp_path) -> None:
    path = write_run("old", train__seed=1) / "results.json"
    record = json.loads(path.read_text())
    del record["config"]["train"]["amp"]
    path.write_text(json.dumps(record))
    write_run("new", train__seed=2)
    write_run("other", train__seed=3, train__amp="bf16")
    groups = grouped(find_runs([tmp_path]).runs)
    assert [[run.path.name for run in group.runs] for group in groups] == [
        ["new", "old"],
        ["other"],
    ]
    assert groups[0].values == {"train.amp": "off"}


def test_runs_without_a_configuration_are_never_averaged(write_run, tmp_path) -> None:
    for name in "ab":
        path = write_run(name) / "results.json"
        path.write_text(path.read_text().replace('"config": {', '"config": null, "was": {'))
    assert len(grouped(find_runs([tmp_path]).runs)) == 2


def test_the_same_seed_twice_is_told(write_run, tmp_path) -> None:
    for name in "ab":
        write_run(name, train__seed=5)
    (group,) = grouped(find_runs([tmp_path]).runs)
    (told,) = repeated(group)
    assert "train.seed=5" in told


def test_what_is_not_finished_has_no_part_in_a_mean(write_run, tmp_path) -> None:
    write_run("a", 0.4, train__seed=1)
    write_run("b", 0.9, train__seed=2, is_finished=False)
    compared = Comparison(find_runs([tmp_path]).runs)
    record = compared.as_json()
    assert record["groups"][0]["targets"]["shop"]["mAP"] == {"mean": 0.4, "std": None, "n": 1}
    assert record["averaged_over"] == []
    assert any("stopped after 3 epochs" in remark for remark in record["remarks"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.4", None])
def test_what_is_no_number_has_no_part_in_a_mean(value, write_run, tmp_path) -> None:
    write_run("a1", 0.4, train__seed=1)
    write_run("a2", value, train__seed=2)
    (group,) = grouped(find_runs([tmp_path]).runs)
    assert group.figure("shop", "mAP") == Figure(0.4, None, 1)


def test_each_target_has_a_row(write_run, tmp_path) -> None:
    write_run("a", 0.4, targets=("shop", "street"))
    sheet = Comparison(find_runs([tmp_path]).runs).sheet(["mAP"])
    assert [column.heading for column in sheet.columns] == ["run", "target", "mAP"]
    assert [row[1:] for row in sheet.rows] == [["shop", "40.0"], ["street", "40.0"]]
