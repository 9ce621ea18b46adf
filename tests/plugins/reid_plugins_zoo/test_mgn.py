"""MGN, at toy width, against its branches and parts written out one by one."""

from __future__ import annotations

import copy

import pytest
import torch
from reid_plugins_zoo.mgn import MGN
from reid_plugins_zoo.resnet import ResidualMaps
from torch import nn
from torchvision.models import resnet

from reidcore.errors import UserError
from reidcore.models import build_model


def small_trunk():
    torch.manual_seed(0)
    return resnet.ResNet(resnet.BasicBlock, [1, 1, 2, 1], num_classes=1)


def small_network():
    return MGN(ResidualMaps(small_trunk(), last_stride=1), 5, embedding=8)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    made = small_network()
    for number, branch in enumerate(made.branches):
        for weight in branch.parameters():
            weight.data *= 1 + number / 10  # as if they had learnt apart
    for part in made.parts:
        nn.init.uniform_(part.neck.weight)
        nn.init.normal_(part.neck.running_mean)
    return made.eval()


@pytest.fixture(scope="module")
def batch():
    return torch.randn(2, 3, 96, 32, generator=torch.Generator().manual_seed(2))


def generalised_mean(maps):
    return maps.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)


def branch_of(trunk, number):
    branch = copy.deepcopy(nn.Sequential(trunk.layer3[1], trunk.layer4))
    for weight in branch.parameters():
        weight.data *= 1 + number / 10
    return branch


def written_out(model, images):
    """The features of all parts before and behind their necks."""
    trunk = small_trunk().eval()
    trunk.layer4[0].conv1.stride = trunk.layer4[0].downsample[0].stride = (1, 1)
    shared = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(images))))
    shared = trunk.layer3[0](trunk.layer2(trunk.layer1(shared)))
    first, second, third = (branch_of(trunk, number)(shared) for number in range(3))
    rows = first.shape[2]
    regions = [first, second, third, second[:, :, : rows // 2], second[:, :, rows // 2 :]]
    regions += [third[:, :, start : start + rows // 3] for start in range(0, rows, rows // 3)]
    reduced = [
        generalised_mean(maps) @ part.reduction.weight.T
        for maps, part in zip(regions, model.parts, strict=True)
    ]
    behind = [
        (each - part.neck.running_mean) / (part.neck.running_var + 1e-5).sqrt() * part.neck.weight
        for each, part in zip(reduced, model.parts, strict=True)
    ]
    return reduced, behind


def test_images_are_compared_by_eight_parts(model, batch):
    with torch.no_grad():
        _, behind = written_out(model, batch)
        torch.testing.assert_close(model(batch), torch.cat(behind, 1), rtol=1e-4, atol=1e-5)
    assert model.feature_dim == 64


def test_losses_see_eight_classifiers_and_five_vectors(model, batch):
    with torch.no_grad():
        _, behind = written_out(model, batch)
        outputs = model(batch, outputs="all")
    logits = [part @ layer.weight.T for part, layer in zip(behind, model.classifier, strict=True)]
    torch.testing.assert_close(list(outputs.logits), logits, rtol=1e-4, atol=1e-5)
    halves, thirds = torch.cat(behind[3:5], 1), torch.cat(behind[5:], 1)
    expected = (*behind[:3], halves, thirds)
    torch.testing.assert_close(outputs.features, expected, rtol=1e-4, atol=1e-5)


def test_branches_start_alike_and_learn_apart():
    model = small_network()
    first, second, third = (branch.state_dict() for branch in model.branches)
    for key, value in first.items():
        assert torch.equal(value, second[key])
        assert torch.equal(value, third[key])
    assert len({id(each) for each in model.parameters()}) == len(list(model.parameters()))
    addresses = {branch.layer4[0].conv1.weight.data_ptr() for branch in model.branches}
    assert len(addresses) == 3


def test_every_parameter_learns(model, batch):
    training = copy.deepcopy(model).train()
    outputs = training(batch, outputs="all")
    total = sum(each.square().sum() for each in (*outputs.logits, *outputs.features))
    total.backward()
    assert [name for name, each in training.named_parameters() if each.grad is None] == []


def test_depths_are_told_of_all_but_the_parts(model):
    depths = model.layer_depths()
    names = [name for name, _ in model.named_parameters()]
    parts = ("parts.", "classifier.")
    assert set(depths) == {name for name in names if not name.startswith(parts)}
    assert depths["backbone.conv1.weight"] == 0
    assert depths["backbone.layer3.0.conv1.weight"] == depths["branches.2.layer3.1.conv1.weight"]
    assert depths["branches.0.layer4.0.conv1.weight"] == 4


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101", "resnet50_ibn_a"])
def test_it_is_built_on_several_backbones(backbone):
    with torch.device("meta"):
        model = build_model("mgn", 7, pretrained=False, backbone=backbone, stem="fastreid").eval()
        features = model(torch.empty(2, 3, 384, 128))
        maps = model(torch.empty(2, 3, *model.min_size), return_featuremaps=True)
        with pytest.raises(UserError, match="35x3 or larger"):
            model(torch.empty(2, 3, 34, 3))
    assert features.shape == (2, 2048)
    assert maps.shape == (2, 3 * 2048, 3, 1)
    assert model.branches[1].layer4[0].downsample[0].stride == (1, 1)


def test_pooling_and_classifier_are_chosen_by_name():
    with torch.device("meta"):
        model = build_model(
            "mgn",
            7,
            pretrained=False,
            pool={"gem": {"p": 2.0}},
            classifier={"circle": {"scale": 64.0, "margin": 0.35}},
        )
    assert all(part.pools[0].p.shape == (1,) for part in model.parts)
    assert [(each.scale, each.margin) for each in model.classifier] == [(64.0, 0.35)] * 8
