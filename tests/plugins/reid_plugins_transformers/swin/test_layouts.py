"""SOLIDER's files fill Swin Transformers with the same features."""

from __future__ import annotations

import logging

import pytest
import torch

from reidcore.errors import CheckpointError, UserError
from reidcore.models import attach_head, build_model, find_published, load_pretrained_weights
from tests.plugins.reid_plugins_transformers.swin import reference
from tests.plugins.reid_plugins_transformers.swin.test_network import SIZES, TOY, toy

IMAGES = torch.randn(2, 3, 45, 30, generator=torch.Generator().manual_seed(1))
HEAD = {"neck": "bnneck", "test_features": "before_neck"}
UNUSED = {
    f"base.{layer}.{entry}"
    for layer in ("norm0", "norm1", "semantic_embed_w.2", "semantic_embed_b.2")
    for entry in ("weight", "bias")
}


def published(classes=5) -> reference.Weights:
    return reference.random_file(TOY.channels, classes=classes, **SIZES)


def stored(state, tmp_path):
    torch.save(state, tmp_path / "anything.pth")
    return tmp_path / "anything.pth"


def features(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(IMAGES)


def test_a_checkpoint_of_reidentification_fills_network_and_head(tmp_path) -> None:
    file = published()
    model = attach_head(toy(), HEAD, 5, image_size=(45, 30))
    report = load_pretrained_weights(model, stored(file, tmp_path))
    assert report.layout == "SOLIDER's keys"
    assert report.untouched == []
    assert set(report.discarded) == {*UNUSED, "bottleneck.bias"}
    wanted = reference.features(file, IMAGES, semantic_weight=0.2, **SIZES)
    torch.testing.assert_close(features(model), wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.head.neck.running_var, file["bottleneck.running_var"])
    torch.testing.assert_close(model.classifier.weight, file["classifier.weight"])


@pytest.mark.parametrize("wrapper", ["", "module."], ids=["bare", "in DDP"])
def test_the_teacher_of_a_pretraining_checkpoint_is_read(wrapper, tmp_path) -> None:
    def of_pretraining(seed):
        file = reference.random_file(TOY.channels, classes=5, seed=seed, **SIZES)
        kept = {key: value for key, value in file.items() if key.startswith("base.")}
        return {f"{wrapper}backbone.{key.removeprefix('base.')}": kept[key] for key in kept}

    head = {f"{wrapper}head.mlp.0.weight": torch.zeros(7, 32)}
    checkpoint = {
        "student": of_pretraining(1) | head,
        "teacher": of_pretraining(0) | head,
        "part_classifier": {"weight": torch.zeros(3, 32)},
        "epoch": 10,
    }
    model = toy()
    report = load_pretrained_weights(model, stored(checkpoint, tmp_path))
    assert "head.mlp.0.weight" in report.discarded
    assert report.untouched == ["classifier.weight", "classifier.bias"]
    wanted = reference.features(published(), IMAGES, semantic_weight=0.2, **SIZES)
    torch.testing.assert_close(features(model), wanted, atol=1e-5, rtol=1e-4)


def test_a_file_without_controllers_is_for_a_network_without_them(tmp_path, caplog) -> None:
    file = {key: value for key, value in published().items() if "semantic" not in key}
    with caplog.at_level(logging.WARNING, "reidcore"):
        load_pretrained_weights(toy(semantic_weight=None), stored(file, tmp_path))
    assert "semantic" not in caplog.text
    with caplog.at_level(logging.WARNING, "reidcore"):
        load_pretrained_weights(toy(), stored(file, tmp_path))
    assert "no semantic controllers" in caplog.text
    assert "model.semantic_weight: null" in caplog.text


def test_our_own_checkpoints_and_timms_are_read_as_they_are(tmp_path) -> None:
    model, other = toy(), toy()
    torch.nn.init.normal_(model.backbone.patch_embed.proj.weight)
    for state in (model.state_dict(), model.backbone.state_dict()):
        report = load_pretrained_weights(other, stored(state, tmp_path))
        assert report.discarded == []
        torch.testing.assert_close(features(other), features(model))


def test_weights_of_a_wider_network_are_refused(tmp_path) -> None:
    file = reference.random_file(16, classes=5, **SIZES)
    with pytest.raises(CheckpointError, match="fits SoliderSwin"):
        load_pretrained_weights(toy(), stored(file, tmp_path))


def test_missing_weights_say_where_they_are_to_be_put(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    wanted = str(tmp_path / "weights" / find_published("solider_swin_t").filename)
    with torch.device("meta"), pytest.raises(UserError, match="'solider_swin_t'") as raised:
        build_model("solider_swin_t", 3)
    assert wanted in str(raised.value)
    assert "pretrained=false" in str(raised.value)
