"""Figures as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reidcore.testing import tiny_run


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_steps_epochs_and_tests_have_a_line_each(tmp_path: Path) -> None:
    overrides = ["train.print_freq=1", "train.max_epoch=2", "test.eval_freq=1"]
    result = tiny_run(save_dir=tmp_path, overrides=overrides).result
    lines = read(tmp_path)
    kinds = [line["kind"] for line in lines]
    assert kinds == 2 * ["step", "step", "step", "epoch", "test"]
    assert [line["max_epoch"] for line in lines if line["kind"] == "step"] == 6 * [2]
    assert {"epoch", "batch", "softmax", "acc", "lr", "time", "data"} <= lines[0].keys()
    assert lines[-1]["mAP"] == result["targets"]["tiny"]["mAP"]
    assert [line["epoch"] for line in lines if line["kind"] == "epoch"] == [1, 2]


def test_a_resumed_run_goes_on_in_the_same_file(tmp_path: Path) -> None:
    tiny_run(save_dir=tmp_path)
    checkpoint = tmp_path / "model.pth.tar-1"
    tiny_run(save_dir=tmp_path, overrides=[f"model.resume={checkpoint}", "train.max_epoch=2"])
    assert [line["epoch"] for line in read(tmp_path) if line["kind"] == "epoch"] == [1, 2]


def test_a_strangers_lines_stay_where_they_are(tmp_path: Path) -> None:
    tiny_run(save_dir=tmp_path)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "test", "epoch": 1}\n{"kind": "note"}\n')
    checkpoint = tmp_path / "model.pth.tar-1"
    tiny_run(save_dir=tmp_path, overrides=[f"model.resume={checkpoint}", "train.max_epoch=2"])
    assert {"kind": "note"} in read(tmp_path)


def test_a_test_writes_none(tmp_path: Path) -> None:
    tiny_run(save_dir=tmp_path, overrides=["test.evaluate=true"])
    assert not (tmp_path / "metrics.jsonl").exists()


def test_groups_of_parameters_have_their_rates(tmp_path: Path) -> None:
    groups = "train.groups={bias: {lr_mult: 2}, conv: {lr_mult: 0.1}}"
    overrides = [groups, "train.lr=0.5", "train.print_freq=1"]
    tiny_run(save_dir=tmp_path, overrides=[*overrides, "train.lr_scheduler=constant"])
    line = read(tmp_path)[0]
    rates = {key: value for key, value in line.items() if key.startswith("lr")}
    assert rates == {
        "lr": 0.5,
        "lr/bias": 1.0,
        "lr/conv": 0.05,
        "lr/bias+conv": 0.1,
        "lr/other": 0.5,
    }
    resume = f"model.resume={tmp_path / 'model.pth.tar-1'}"
    resumed = tiny_run(save_dir=tmp_path, overrides=[*overrides, resume, "train.max_epoch=2"])
    assert [line["lr/bias"] for line in read(tmp_path) if line["kind"] == "step"] == [1.0] * 6
    assert "lr/bias" not in resumed.result["training"][0]
