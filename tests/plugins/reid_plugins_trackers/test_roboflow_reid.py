"""What Roboflow's `reid` is told of a model, and which models it can build."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from reid_plugins_trackers import roboflow_reid
from reid_plugins_trackers.roboflow_reid import (
    ExtractorBackbone,
    reid_model,
    reid_preprocessing,
    save_reid_folder,
)
from safetensors.torch import load_file

from reidcore.errors import UserError
from reidcore.models import build_model

RECORD = {
    "height": 256,
    "width": 128,
    "norm_mean": [0.5, 0.4, 0.3],
    "norm_std": [0.2, 0.2, 0.1],
    "letterbox": None,
    "resize": "pillow",
}


def extractor(name="osnet_x1_0", head=None, options=None, told=(), **record):
    """Stand for an extractor: what it says of its model and of images."""
    model = {"name": name, "head": head or {}, "options": options or {}}
    return SimpleNamespace(
        metadata={"model": model, **dict(told)},
        preprocessing=SimpleNamespace(record={**RECORD, **record}),
    )


@pytest.fixture
def save(monkeypatch, tmp_path):
    """Save the folder of a checkpoint that a stand-in speaks for."""

    def save(given, folder=tmp_path / "reid"):
        monkeypatch.setattr(roboflow_reid, "FeatureExtractor", lambda *_, **__: given)
        return save_reid_folder("model.pth", folder)

    return save


def test_preprocessing_is_told_in_their_words() -> None:
    assert reid_preprocessing(extractor(resize="pillow_bicubic")) == {
        "input_size": [256, 128],
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.2, 0.1],
        "interpolation": "bicubic",
        "to_rgb": True,
        "resize_mode": "stretch",
    }


def test_margins_are_refused() -> None:
    with pytest.raises(UserError, match="margin"):
        reid_preprocessing(extractor(letterbox=[0, 0, 0]))


def test_a_resizer_that_they_have_not_is_refused() -> None:
    with pytest.raises(UserError, match="area"):
        reid_preprocessing(extractor(resize="area"))


def test_a_file_that_normalises_is_given_images_in_0_to_1() -> None:
    told = reid_preprocessing(extractor(told={"preprocess": "mean_std"}))
    assert (told["mean"], told["std"]) == ([0, 0, 0], [1, 1, 1])
    with pytest.raises(UserError, match="prepares images itself"):
        reid_preprocessing(extractor(told={"preprocess": "full"}))


@pytest.mark.parametrize(
    ("name", "theirs", "layer"),
    [
        ("osnet_x0_25", "osnet_x0_25", "conv2.0.conv1.bn.running_mean"),
        ("timm/resnet10t", "timm:resnet10t", "layer1.0.bn1.running_mean"),
    ],
)
def test_a_folder_holds_the_network_without_its_classifier(name, theirs, layer, tmp_path) -> None:
    network = build_model(name, num_classes=2, pretrained=False)
    torch.save(network.state_dict(), tmp_path / "model.pth")
    folder = save_reid_folder(
        tmp_path / "model.pth", tmp_path / "reid", model_name=name, image_size=(64, 32)
    )
    config = json.loads((folder / "reid_config.json").read_text())
    assert config["architecture"] == theirs
    assert config["preprocessing"]["input_size"] == [64, 32]
    written = load_file(folder / "weights.safetensors")
    ours = {key.removeprefix("backbone."): value for key, value in network.state_dict().items()}
    assert layer in written
    assert sorted(written) == sorted(key for key in ours if not key.startswith("classifier."))
    for key in written:
        torch.testing.assert_close(written[key], ours[key])


def test_a_folder_that_holds_something_is_left_alone(save, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(roboflow_reid, "_weights", lambda *_: {"a": torch.ones(1)})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        save(extractor(), mine)
    assert [path.name for path in mine.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "given",
    [
        extractor("resnet50"),
        extractor("osnet_ain_x1_0"),
        extractor(head={"neck": "bnneck"}),
        extractor(options={"stem": "bot"}),
        extractor(told={"preprocess": "none"}),
    ],
    ids=["another", "a variant", "a head", "an option", "an exported file"],
)
def test_what_they_cannot_build_goes_in_by_the_extractor(given, save, tmp_path) -> None:
    with pytest.raises(UserError, match="reid_model"):
        save(given)
    assert not (tmp_path / "reid").exists()


def test_a_missing_package_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "reid", None)
    with pytest.raises(UserError, match="pip install --pre reid"):
        reid_model(extractor())


def test_the_backbone_gives_what_the_extractor_gives() -> None:
    images = torch.rand(2, 3, 4, 4)
    backbone = ExtractorBackbone(lambda given: given.mean(dim=(2, 3)))
    torch.testing.assert_close(backbone(images), images.mean(dim=(2, 3)))
