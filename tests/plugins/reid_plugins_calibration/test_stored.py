"""Where a calibration is kept, and that nothing else of a checkpoint changes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from reid_plugins_calibration import (
    Calibration,
    read_calibration,
    reid_export_metadata,
    require_calibration,
)
from reid_plugins_calibration.fit import Wishes, calibrate
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.stored import Destination

from reidcore.errors import CheckpointError, DataError, UserError
from reidcore.inference import read_metadata
from reidcore.models import export_weights
from reidcore.testing import tiny_run
from reidcore.utils import load_checkpoint, save_checkpoint, write_json


@pytest.fixture(scope="module")
def record(draw):
    items = make_items(*draw(40))
    return calibrate(items, Wishes(rates=(0.1, 0.01)), "the test images").calibration.record


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    tiny_run(save_dir=folder)
    return folder / "model.pth.tar-1"


@pytest.fixture
def calibrated(trained, tmp_path, record) -> Path:
    path = tmp_path / "model.pth.tar-1"
    Destination.of(str(trained), str(path)).write(record)
    return path


def assert_equal(a, b, place="checkpoint") -> None:
    assert type(a) is type(b), place
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, place
        assert torch.equal(a, b), place
    elif isinstance(a, dict):
        assert list(a) == list(b), place
        for key in a:
            assert_equal(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), place
        for number, pair in enumerate(zip(a, b, strict=True)):
            assert_equal(*pair, f"{place}.{number}")
    elif not hasattr(a, "__array__"):
        assert a == b, place


def test_of_a_checkpoint_nothing_else_changes(trained, calibrated, record) -> None:
    before, after = load_checkpoint(trained), load_checkpoint(calibrated)
    kept = after["reidcore"]["hooks"].pop("calibration")
    assert_equal(before, after)
    assert kept.pop("weights_sha256")
    assert kept == record
    assert read_metadata(calibrated).hooks["calibration"]["version"] == 1


def test_it_is_read_back(calibrated, record) -> None:
    found = require_calibration(calibrated)
    assert isinstance(found, Calibration)
    assert found.threshold(0.1).similarity == record["thresholds"][0]["similarity"]


def test_a_run_resumes_from_it_as_if_it_had_not_been_there_and_keeps_none(
    trained, calibrated, tmp_path
) -> None:
    ends = []
    for name, path in (("without", trained), ("with", calibrated)):
        folder = tmp_path / name
        words = [f"model.resume={path}", "train.max_epoch=2"]
        tiny_run(save_dir=folder, root=trained.parent / "data", overrides=words)
        ends.append(load_checkpoint(folder / "model.pth.tar-2"))
    assert_equal(ends[0]["state_dict"], ends[1]["state_dict"])
    assert_equal(ends[0]["optimizer"], ends[1]["optimizer"])
    assert read_calibration(folder / "model.pth.tar-2") is None


def test_a_training_from_its_weights_does_not_inherit_it(calibrated, trained, tmp_path) -> None:
    words = [f"model.load_weights={calibrated}"]
    tiny_run(save_dir=tmp_path / "new", root=trained.parent / "data", overrides=words)
    assert read_calibration(tmp_path / "new" / "model.pth.tar-1") is None


def test_one_of_other_weights_is_not_used(calibrated, caplog) -> None:
    held = load_checkpoint(calibrated)
    next(iter(held["state_dict"].values())).add_(1e-3)
    torch.save(held, calibrated)
    with caplog.at_level(logging.WARNING, "reidcore"):
        assert read_calibration(calibrated) is None
    assert "is of other weights" in caplog.text


def test_without_one_the_command_is_named(trained) -> None:
    assert read_calibration(trained) is None
    with pytest.raises(UserError, match=r"is not calibrated.*reidcore calibrate .*model.pth.tar-1"):
        require_calibration(trained)


def test_a_file_beside_it_does_as_well(tmp_path, record) -> None:
    path = tmp_path / "calibration.json"
    Destination.of(None, str(path)).write(record)
    assert read_calibration(path).record == record
    with pytest.raises(UserError, match="no calibration at"):
        read_calibration(tmp_path / "other.json")


def test_a_file_beside_it_is_of_these_weights_alone(trained, tmp_path, record, caplog) -> None:
    path, other = tmp_path / "beside.json", tmp_path / "other.pth"
    assert Destination.of(str(trained), str(path)).write(record) == read_calibration(path).record
    assert require_calibration(path, model=trained).threshold(0.1)
    torch.save({"state_dict": {"weight": torch.ones(2)}}, other)
    with pytest.raises(DataError, match=r"is of other weights than .*calibrate .*other.pth --data"):
        read_calibration(path, model=other)
    Destination.of(None, str(path)).write(record)  # of features from elsewhere
    assert read_calibration(path, model=other)
    assert "does not say of which weights" in caplog.text


@pytest.mark.parametrize("change", [{"version": 2}, {"thresholds": 3}, {"probability": {}}])
def test_a_record_of_another_kind_is_refused(tmp_path, record, change) -> None:
    path = tmp_path / "calibration.json"
    write_json({**record, **change}, path)
    with pytest.raises(DataError, match="calibrat"):
        read_calibration(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b"null", "version None cannot be read"),
        ("a.json", b"[1]", "cannot be read"),
        ("a.json", b"", "is not valid JSON"),
        ("a.json", None, "no calibration at"),
        ("a.pth", b"", "damaged or no torch checkpoint"),
        ("a.onnx", None, "no file at"),
        ("a.onnx", b"\x08", "damaged or no ONNX file"),
        ("a.txt", b"0.6", "is no exported model"),
    ],
)
def test_what_holds_none_is_told_for_what_it_is(name, content, told, tmp_path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=told):
        require_calibration(tmp_path / name)


def test_a_checkpoint_of_others_has_no_place_for_it(tmp_path) -> None:
    path = save_checkpoint({"state_dict": {"weight": torch.ones(2)}, "epoch": 1}, tmp_path)
    with pytest.raises(UserError, match=r"no checkpoint of a run.*-o FILE.json"):
        Destination.of(str(path), None)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        Destination.of(str(tmp_path / "none.pth"), None)
    with pytest.raises(UserError, match="no checkpoint is named"):
        Destination.of(None, "calibrated.pth")
    assert Destination.of(str(path), "beside.json").output == Path("beside.json")
    program = path.rename(path.with_name("model.torchscript"))
    with pytest.raises(UserError, match=r"-o FILE.json"):
        Destination.of(str(program), None)


def test_exports_take_it_along(calibrated, trained) -> None:
    given = reid_export_metadata(metadata=read_metadata(calibrated))
    assert Calibration.from_record(given["calibration"]).thresholds
    assert reid_export_metadata(metadata=read_metadata(trained)) is None


def test_weights_for_others_take_it_along(calibrated, trained, tmp_path, record) -> None:
    pytest.importorskip("safetensors")
    export_weights(calibrated, tmp_path / "with.safetensors")
    assert read_calibration(tmp_path / "with.safetensors").record["data"] == record["data"]
    export_weights(trained, tmp_path / "without.safetensors")
    assert read_calibration(tmp_path / "without.safetensors") is None
    assert read_metadata(tmp_path / "without.safetensors").hooks == {}


def test_an_export_is_read_and_one_of_other_weights_is_not_used(record, monkeypatch) -> None:
    from reid_plugins_export import record as exported

    held = {"calibration": {**record, "weights_sha256": "a1"}, "weights_sha256": "a1"}
    monkeypatch.setattr(exported, "read_record", lambda path: held)
    assert read_calibration("model.onnx").threshold(0.1)
    assert require_calibration("model.onnx", model="copy.onnx")
    held["weights_sha256"] = "b2"
    assert read_calibration("model.onnx") is None
    held.clear()
    with pytest.raises(UserError, match=r"its checkpoint and export that again.*-o FILE.json"):
        require_calibration("model.onnx")
