"""ResNet and ResNeXt: torchvision's layers under torchvision's keys, and their last stride."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo import resnet
from torchvision import models


@pytest.mark.parametrize("name", resnet.TRUNKS)
def test_all_of_torchvisions_weights_have_a_place(name, build):
    ours = build(name, device="meta").state_dict()
    with torch.device("meta"):
        theirs = getattr(models, name)().state_dict()
    assert [key for key in ours if not key.startswith("classifier")] == [
        key for key in theirs if not key.startswith("fc.")
    ]
    assert all(ours[key].shape == theirs[key].shape for key in ours.keys() & theirs.keys())


def test_positional_arguments_are_in_torchreids_order(images):
    logits, features = resnet.resnet18(5, "triplet", False)(images(2, 64, 32))
    assert (logits.shape, features.shape) == ((2, 5), (2, 512))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_last_stride_alone_changes(name):
    with torch.device("meta"):
        plain = resnet.ResNet(resnet.TRUNKS[name](), 2).eval()
        large = resnet.ResNet(resnet.TRUNKS[name](), 2, last_stride=1).eval()
        image = torch.empty(1, 3, 64, 32)
    assert plain.featuremaps(image).shape[2:] == (2, 1)
    assert large.featuremaps(image).shape[2:] == (4, 2)
    assert plain.before_last(image).shape == large.before_last(image).shape
    assert plain.state_dict().keys() == large.state_dict().keys()


def test_its_stages_hold_all_that_comes_before_the_classifier(build):
    model = build("resnet50_fc512", device="meta")
    depths = model.layer_depths()
    names = [name for name, _ in model.named_parameters()]
    assert list(depths) == [name for name in names if not name.startswith(("fc.", "classifier."))]
    assert {name: depths[f"{name}.weight"] for name in ("conv1", "bn1", "layer4.0.conv1")} == {
        "conv1": 0,
        "bn1": 0,
        "layer4.0.conv1": 4,
    }
