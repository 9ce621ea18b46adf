"""Networks with parts, branches and levels: what they hand to losses, and what sets them apart."""

from __future__ import annotations

import copy
import logging

import pytest
import torch
from reid_plugins_zoo.hacnn import hacnn
from reid_plugins_zoo.mlfn import FactorBlock
from reid_plugins_zoo.mudeep import mudeep
from reid_plugins_zoo.pcb import pcb_p4
from reid_plugins_zoo.resnet_ibn import InstanceBatchNorm
from reid_plugins_zoo.resnetmid import resnet50mid

from reidcore.models import Outputs


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(0)
    return pcb_p4(num_classes=5, pretrained=False)


@pytest.fixture(scope="module")
def harmonious():
    torch.manual_seed(0)
    return hacnn(5, "triplet", False)


def test_all_outputs_come_in_either_mode(parts, harmonious, images):
    for mode in (True, False):
        outputs = parts.train(mode)(images(2, 64, 32), outputs="all")
        assert isinstance(outputs, Outputs)
        assert [part.shape for part in outputs.logits] == [(2, 5)] * 4
        assert outputs.features.shape == (2, 4 * 2048)
        outputs = harmonious.train(mode)(images(2, 160, 64), outputs="all")
        assert [part.shape for part in outputs.logits] == [(2, 5)] * 2
        assert [part.shape for part in outputs.features] == [(2, 512)] * 2


def test_strips_are_of_length_1_and_do_not_see_each_other(parts, images):
    batch = images(1, 256, 64)
    maps = parts.eval()(batch, return_featuremaps=True)
    strips = parts.retrieval(parts.embed(maps)).view(2048, 4)
    assert torch.allclose(strips.norm(dim=0), torch.ones(4))
    maps[:, :, 4:8] += 1
    others = parts.retrieval(parts.embed(maps)).view(2048, 4)
    assert [torch.equal(strips[:, i], others[:, i]) for i in range(4)] == [True, False, True, True]


def test_regions_start_one_above_the_other_and_follow_their_centres(harmonious):
    rows = torch.arange(80.0).reshape(1, 1, 80, 1).expand(2, 32, 80, 6)
    middles = [
        harmonious._cut(rows, torch.tensor([[0.0, centre]]).expand(2, 2), (20, 6))[:, :, 5:15, 3]
        for centre in (-0.75, -0.25, 0.25, 0.75)
    ]
    assert [middle.mean().item() for middle in middles] == pytest.approx([9.5, 29.5, 49.5, 69.5])
    centres = harmonious.ha1.hard_attn(torch.randn(2, 128, 4, 4))
    assert torch.tanh(torch.tensor([-0.75, -0.25, 0.25, 0.75])).allclose(centres[0, :, 1])


def test_branches_have_equal_weight_among_the_features(harmonious, images):
    features = harmonious.eval()(images(2, 160, 64))
    assert torch.allclose(features.view(2, 2, 512).norm(dim=2), torch.ones(2, 2))


def test_an_image_selects_whole_factors():
    torch.manual_seed(0)
    block = FactorBlock(8, 64, 1, (8, 8)).eval()
    # One channel a factor in the middle of the block; only factor 3 is selected.
    block.fsm[-1] = torch.nn.Identity()
    block.fsm[-2] = torch.nn.Identity()
    torch.nn.init.zeros_(block.fsm[-3].weight)
    block.fsm[-3].bias.data = torch.eye(32)[3]
    seen = []
    block.fm_conv3.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    _, selection = block(torch.rand(2, 8, 4, 4))
    assert selection.flatten(1).argmax(1).tolist() == [3, 3]
    assert set(seen[0].abs().sum((0, 2, 3)).nonzero().flatten().tolist()) == {3}


def test_half_of_the_channels_is_normalised_image_by_image():
    torch.manual_seed(0)
    norm = InstanceBatchNorm(4).train()
    maps = torch.randn(3, 4, 5, 5) + torch.tensor([0.0, 10.0, 20.0]).view(3, 1, 1, 1)
    means = norm(maps).mean((2, 3))
    assert torch.allclose(means[:, :2], torch.zeros(3, 2), atol=1e-5)
    assert means[:, 2:].std(0).min() > 1
    assert torch.allclose(means[:, 2:].mean(0), torch.zeros(2), atol=1e-5)


def test_middle_features_come_before_the_last_ones(images):
    torch.manual_seed(0)
    model = resnet50mid(3, pretrained=False).eval()
    batch = images(1, 64, 32)
    with torch.no_grad():
        features = model(batch)
        last = model(batch, return_featuremaps=True).mean((2, 3))
    assert torch.allclose(features[:, 1024:], last)


def test_copies_compute_the_same(parts, harmonious, images):
    for model, size in ((parts, (64, 32)), (harmonious, (160, 64))):
        batch = images(2, *size)
        with torch.no_grad():
            assert torch.equal(copy.deepcopy(model.eval())(batch), model(batch))


@pytest.mark.parametrize("factory", [hacnn, mudeep])
def test_networks_without_published_weights_say_so(factory, caplog):
    with caplog.at_level(logging.INFO), torch.device("meta"):
        factory(num_classes=3)
    assert "has no published weights" in caplog.text
