"""What Roboflow's `reid` is told of a model, and which models it can build."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from reid_plugins_trackers.roboflow_reid import (
    ExtractorBackbone,
    reid_model,
    reid_preprocessing,
    save_reid_folder,
)
from safetensors.torch import load_file
from torch import nn

from reidcore.errors import UserError

RECORD = {
    "height": 256,
    "width": 128,
    "norm_mean": [0.5, 0.4, 0.3],
    "norm_std": [0.2, 0.2, 0.1],
    "letterbox": None,
    "resize": "pillow",
}


class Net(nn.Module):
    """As much of a network as is written: what timm's name holds, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 3))
        self.classifier = nn.Linear(3, 9)


def extractor(name="osnet_x1_0", head=None, options=None, **record):
    model = {"name": name, "head": head or {}, "options": options or {}}
    return SimpleNamespace(
        model=Net(),
        metadata={"model": model},
        preprocessing=SimpleNamespace(record={**RECORD, **record}),
    )


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


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("osnet_x0_5", "osnet_x0_5"), ("timm/convnext_atto", "timm:convnext_atto")],
)
def test_a_folder_holds_the_network_without_its_classifier(name, theirs, tmp_path) -> None:
    given = extractor(name)
    folder = save_reid_folder(given, tmp_path / "reid")
    config = json.loads((folder / "reid_config.json").read_text())
    assert config["architecture"] == theirs
    assert config["preprocessing"] == reid_preprocessing(given)
    weights = load_file(folder / "weights.safetensors")
    assert sorted(weights) == ["0.bias", "0.weight"]
    torch.testing.assert_close(weights["0.bias"], given.model.backbone[0].bias.detach())


def test_a_folder_that_holds_something_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        save_reid_folder(extractor(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "given",
    [
        extractor("resnet50"),
        extractor("osnet_ain_x1_0"),
        extractor(head={"neck": "bnneck"}),
        extractor(options={"stem": "bot"}),
    ],
    ids=["another", "a variant", "a head", "an option"],
)
def test_what_they_cannot_build_goes_in_by_the_extractor(given, tmp_path) -> None:
    with pytest.raises(UserError, match="reid_model"):
        save_reid_folder(given, tmp_path / "reid")
    assert not (tmp_path / "reid").exists()


def test_a_missing_package_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "reid", None)
    with pytest.raises(UserError, match="pip install --pre reid"):
        reid_model(extractor())


def test_the_backbone_gives_what_the_extractor_gives() -> None:
    images = torch.rand(2, 3, 4, 4)
    backbone = ExtractorBackbone(lambda given: given.mean(dim=(2, 3)))
    torch.testing.assert_close(backbone(images), images.mean(dim=(2, 3)))
