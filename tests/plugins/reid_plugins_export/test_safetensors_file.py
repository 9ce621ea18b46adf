"""Safetensors: the same weights and the same record."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from reidcore._serialization import load_safely
from reidcore.errors import CheckpointError, UserError
from reidcore.inference.checkpoint_metadata import read_metadata
from reidcore.models import build_model, export_weights, load_pretrained_weights, save_weights


@pytest.fixture(scope="module")
def model():
    return build_model("osnet_x0_25", 4, pretrained=False, head={"neck": "bnneck"})


def test_a_model_is_written_with_its_form_and_what_it_is_fed(model, tmp_path):
    path = tmp_path / "small.safetensors"
    fed = {"height": 64, "width": 32, "norm_mean": [0.5] * 3, "norm_std": [0.2] * 3}
    metadata = {"preprocessing": fed, "test": {"dist_metric": "cosine"}}
    save_weights(nn.DataParallel(model), path, metadata)
    record = read_metadata(path)
    assert record.model_name == "osnet_x0_25"
    assert record.model["feature_dim"] == 512
    assert record.preprocessing == fed
    assert record.test == {"dist_metric": "cosine"}
    other = build_model(record.model_name, 4, pretrained=False, **record.model_options())
    report = load_pretrained_weights(other, path)
    assert report.untouched == []
    for key, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[key], value), key


def test_weights_that_layers_share_are_written_for_each(tmp_path):
    layer = nn.Linear(2, 2)
    twins = nn.Sequential(layer, layer)
    save_weights(twins, tmp_path / "twins.safetensors")
    held = load_safely(tmp_path / "twins.safetensors")["state_dict"]
    assert torch.equal(held["0.weight"], held["1.weight"])


def test_a_checkpoint_of_others_is_exported_without_a_record(tmp_path):
    state = {"module.weight": torch.ones(3, 2).t(), "module.bias": torch.ones(2)}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "w.pth.tar")
    assert export_weights(tmp_path / "w.pth.tar", tmp_path / "w.safetensors") == 2
    held = load_safely(tmp_path / "w.safetensors")
    assert held["state_dict"].keys() == {"weight", "bias"}
    assert held["reidcore"] == {}


def test_a_file_of_others_has_no_record(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.ones(2)}, tmp_path / "plain.safetensors")
    assert load_safely(tmp_path / "plain.safetensors").keys() == {"state_dict"}
    assert read_metadata(tmp_path / "plain.safetensors").model_name == ""


def test_the_format_is_told_by_the_content_and_not_by_the_name(model, tmp_path):
    save_weights(model, tmp_path / "a.safetensors")
    (tmp_path / "a.safetensors").rename(tmp_path / "a.pth")
    assert "state_dict" in load_safely(tmp_path / "a.pth")


def test_half_a_file_is_damaged(model, tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(model, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_pretrained_weights(model, path)


def test_another_ending_is_refused_before_any_work(model, tmp_path):
    with pytest.raises(UserError, match=r"does not end in \.safetensors"):
        export_weights(tmp_path / "gone.pth", tmp_path / "w.pth")
    with pytest.raises(UserError, match=r"does not end in \.safetensors"):
        save_weights(model, tmp_path / "w.pth")


def test_a_record_of_other_things_than_plain_values_is_refused(model, tmp_path):
    with pytest.raises(CheckpointError, match="plain values"):
        save_weights(model, tmp_path / "a.safetensors", {"when": object()})
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_command_to_install_it_is_given(model, tmp_path, monkeypatch):
    save_weights(model, tmp_path / "a.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    for use in (lambda: load_safely(tmp_path / "a.safetensors"), lambda: write(model, tmp_path)):
        with pytest.raises(UserError, match=r'pip install "reidcore\[safetensors\]"'):
            use()


def write(model, folder):
    save_weights(model, folder / "b.safetensors")
