"""Checkpoints of BoT and AGW fill the same networks here."""

from __future__ import annotations

import logging

import pytest
import torch

from reidcore.models import build_model, load_pretrained_weights

TABLE = {
    "layer2.NL_0.": "base.NL_2.0.",
    "layer3.NL_0.": "base.NL_3.0.",
    "layer3.NL_1.": "base.NL_3.1.",
    "head.pool.": "global_pool.",
    "head.neck.": "bottleneck.",
    "classifier.": "classifier.",
    "": "base.",
}


def drawn(seed, **options):
    torch.manual_seed(seed)
    model = build_model("resnet18", 5, pretrained=False, stem="bot", **options)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.1 + 0.5 / max(1, value[0].numel()))
    return model.eval()


def theirs(model):
    state = {}
    for key, value in model.state_dict().items():
        ours = next(prefix for prefix in TABLE if key.startswith(prefix))
        state[TABLE[ours] + key.removeprefix(ours)] = value
    state["bottleneck.bias"] = torch.zeros(512)
    return state


def saved(state, tmp_path):
    torch.save(state, tmp_path / "resnet18_model_120.pth")
    return tmp_path / "resnet18_model_120.pth"


@pytest.mark.parametrize(
    "options",
    [
        {"head": {"neck": "bnneck", "last_stride": 1}},
        {"head": {"neck": "bnneck", "last_stride": 1, "pool": "gem"}, "non_local": [0, 1, 2, 0]},
    ],
)
def test_features_are_those_of_the_file(options, tmp_path, caplog):
    source, model = drawn(0, **options), drawn(1, **options)
    images = torch.rand(2, 3, 64, 32)
    with caplog.at_level(logging.WARNING), torch.no_grad():
        report = load_pretrained_weights(model, saved(theirs(source), tmp_path))
        torch.testing.assert_close(model(images), source(images))
    assert (report.layout, report.untouched) == ("BoT's and AGW's keys", [])
    assert report.discarded == ["bottleneck.bias"]
    assert "stem" not in caplog.text


def test_another_stem_is_told_with_its_remedy(tmp_path, caplog):
    source = drawn(0, head={"neck": "bnneck"})
    model = build_model("resnet18", 5, pretrained=False, head={"neck": "bnneck"})
    with caplog.at_level(logging.WARNING):
        load_pretrained_weights(model, saved(theirs(source), tmp_path))
    assert caplog.text.count("Build it with stem='bot', or set model.stem=bot") == 1


def test_files_of_other_networks_below_base_are_left_alone(tmp_path):
    model = build_model("osnet_x0_25", 5, pretrained=False)
    state = {f"base.{key}": value for key, value in model.state_dict().items()}
    report = load_pretrained_weights(model, saved(state, tmp_path))
    assert report.layout == "keys below 'base.'"
