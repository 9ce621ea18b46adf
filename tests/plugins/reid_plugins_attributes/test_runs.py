"""Attributes in a run: learnt, tested, kept in checkpoints, and predicted for files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reid_plugins_attributes.answers import LearntAttributes, read_attributes

from reidcore import hookimpl
from reidcore.data import SampleTable, Splits, from_folders
from reidcore.errors import CheckpointError, ConfigError, UserError
from reidcore.testing import tiny_run


class Hats:
    """The tiny dataset, whose people of even number wear hats; nothing is known of the first."""

    @hookimpl
    def reid_register_datasets(self, registry):
        registry.add("hats", hats)


def hats(root: str, *, called: str = "hat") -> Splits:
    def described(samples):
        table = SampleTable.of(samples)
        hat = np.where(table.pids == table.pids.min(), -1, table.pids % 2 == 0)
        return SampleTable.of(table, columns={f"attribute_{called}": hat})

    return Splits(*map(described, from_folders(Path(root) / "tiny")))


def run(tmp_path, *overrides, name="log", model="tinynet"):
    from reidcore.testing import fake_dataset

    if not (tmp_path / "data" / "tiny").exists():
        fake_dataset(tmp_path / "data" / "tiny")
    return tiny_run(
        Hats(),
        save_dir=tmp_path / name,
        root=tmp_path / "data",
        dataset="hats",
        model=model,
        overrides=["loss.terms={softmax: 1.0, attributes: 1.0}", *overrides],
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a run of one epoch below ``log``, which tests only read."""
    folder = tmp_path_factory.mktemp("trained")
    run(folder, model="osnet_x0_25")
    return folder


def record(folder):
    return json.loads((folder / "log" / "results.json").read_text())["targets"]["hats"]


def test_a_run_tells_how_well_attributes_are_recognised(trained) -> None:
    found = record(trained)
    assert {"attributes mA", "attributes F1"} <= found["figures"].keys()
    assert 0 <= found["figures"]["attributes mA"] <= 1
    low, high = found["intervals"]["attributes mA"]
    assert low <= found["figures"]["attributes mA"] <= high
    with open(found["attributes"]) as file:
        (row,) = csv.DictReader(file)
    assert row["attribute"] == "hat"
    mean = (float(row["recall_of_yes"]) + float(row["recall_of_no"])) / 2
    assert float(row["mean"]) == pytest.approx(mean, abs=1e-4)
    assert found["figures"]["attributes mA"] == pytest.approx(mean, abs=1e-4)


def test_a_checkpoint_answers_as_the_run_did(trained, tmp_path) -> None:
    checkpoint = trained / "log" / "model.pth.tar-1"
    again = run(
        tmp_path,
        f"model.load_weights={checkpoint}",
        "test.evaluate=true",
        model="osnet_x0_25",
    )
    (result,) = again.engine.record.targets.values()
    assert result.ranking.figures == record(trained)["figures"]
    assert again.engine.plan.test_only


def test_a_resumed_run_goes_on_with_the_layer(tmp_path) -> None:
    whole = run(tmp_path, "train.max_epoch=2", name="whole")
    run(tmp_path)
    resumed = run(
        tmp_path,
        "train.max_epoch=2",
        f"model.resume={tmp_path / 'log' / 'model.pth.tar-1'}",
        name="resumed",
    )
    layers = [each.engine.terms["attributes"][1].state_dict() for each in (whole, resumed)]
    assert all((layers[0][key] == layers[1][key]).all() for key in layers[0])
    with pytest.raises(CheckpointError, match=r"learnt 1 .*have 1; they differ in cap, hat"):
        run(
            tmp_path,
            "train.max_epoch=3",
            "hats.called=cap",
            f"model.resume={tmp_path / 'resumed' / 'model.pth.tar-2'}",
            name="others",
        )


def test_a_neck_between_what_is_learnt_and_what_is_tested_is_refused(tmp_path) -> None:
    head = "model.head={neck: bnneck, metric_features: before_neck"
    with pytest.raises(ConfigError, match=r"model\.head\.test_features=before_neck"):
        run(tmp_path, head + ", test_features: after_neck}")
    run(tmp_path, head + ", test_features: before_neck}", name="other")


def test_images_of_files_are_described_by_a_command(trained, tmp_path) -> None:
    checkpoint = trained / "log" / "model.pth.tar-1"
    images = trained / "data" / "tiny" / "query"
    out = tmp_path / "answers.csv"
    command = [sys.executable, "-m", "reidcore", "attributes", "predict", str(images)]
    options = ["-w", str(checkpoint), "-o", str(out), "--device", "cpu"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == sorted(p.name for p in images.iterdir())
    assert all(0 <= float(row["hat"]) <= 1 for row in rows)


def test_a_model_without_attributes_is_told_how_to_learn_them(tmp_path) -> None:
    tiny_run(save_dir=tmp_path / "plain")
    checkpoint = tmp_path / "plain" / "model.pth.tar-1"
    assert read_attributes(str(checkpoint)) is None
    from click.testing import CliRunner
    from reid_plugins_attributes.commands.predict import predict

    from reidcore.cli import Session

    arguments = [str(tmp_path), "-w", str(checkpoint), "-o", str(tmp_path / "a.csv")]
    result = CliRunner().invoke(predict, arguments, obj=Session())
    assert isinstance(result.exception, UserError)
    assert "reidcore run attributes_quickstart" in str(result.exception)


def test_what_cannot_be_written_is_told_before_anything_is_predicted(
    trained, tmp_path, monkeypatch
) -> None:
    from click.testing import CliRunner
    from reid_plugins_attributes.commands import predict as command

    from reidcore.cli import Session

    monkeypatch.setattr(command, "_answered", lambda *_: pytest.fail("images were read"))
    (tmp_path / "file").touch()
    taken = tmp_path / "file" / "answers.csv"
    images, checkpoint = trained / "data" / "tiny" / "query", trained / "log" / "model.pth.tar-1"
    arguments = [str(images), "-w", str(checkpoint), "--device", "cpu", "-o", str(taken)]
    result = CliRunner().invoke(command.predict, arguments, obj=Session())
    assert isinstance(result.exception, UserError)
    assert str(taken.parent) in str(result.exception)


def test_a_record_of_before_says_no_by_all_other_values(trained) -> None:
    kept = read_attributes(str(trained / "log" / "model.pth.tar-1")).record()
    assert kept["questions"] == [["hat", "attribute_hat", 1, 0]]
    before = LearntAttributes.of_record({**kept, "questions": [["hat", "attribute_hat", 1]]})
    assert before.questions[0].no is None


@pytest.mark.parametrize("damage", [{"questions": 3}, {"bias": None}, {"weight": "none"}])
def test_a_damaged_record_is_refused(trained, damage) -> None:
    kept = read_attributes(str(trained / "log" / "model.pth.tar-1")).record()
    assert LearntAttributes.of_record(kept).questions[0].name == "hat"
    with pytest.raises(CheckpointError, match="damaged"):
        LearntAttributes.of_record({**kept, **damage})
