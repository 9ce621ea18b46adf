"""OSNet: its options and what the contract gives (tests/core/zoo holds it to the reference)."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from reid_plugins_osnet import osnet
from reidcore.models import Outputs


@pytest.fixture
def small():
    return osnet.osnet_x0_25(num_classes=7, pretrained=False)


def test_positional_arguments_are_in_torchreids_order(images):
    model = osnet.osnet_x0_25(5, False, "triplet")
    logits, features = model(images(2, 64, 32))
    assert (logits.shape, features.shape) == ((2, 5), (2, 512))


def test_all_outputs_come_in_either_mode(small, images):
    batch = images(2, 64, 32)
    for mode in (True, False):
        outputs = small.train(mode)(batch, outputs="all", pids=torch.tensor([0, 1]))
        assert isinstance(outputs, Outputs)
        assert (outputs.logits.shape, outputs.features.shape) == ((2, 7), (2, 512))
    assert torch.equal(outputs.features, small(batch))


def test_feature_maps_are_a_sixteenth_of_the_image(small, images):
    assert small.eval()(images(2, 96, 48), return_featuremaps=True).shape == (2, 128, 6, 3)


def test_feature_dim_can_be_chosen_or_left_to_the_maps(images):
    batch = images(2, 64, 32)
    narrow = osnet.osnet_x0_25(3, pretrained=False, feature_dim=64).eval()
    bare = osnet.osnet_x0_25(3, pretrained=False, feature_dim=None).eval()
    assert (narrow(batch).shape, narrow.feature_dim) == ((2, 64), 64)
    assert (bare(batch).shape, bare.feature_dim) == ((2, 128), 128)


def test_a_copy_and_data_parallel_compute_the_same(small, images):
    batch = images(2, 64, 32)
    small.eval()
    expected = small(batch)
    assert torch.equal(copy.deepcopy(small)(batch), expected)
    assert torch.equal(nn.DataParallel(small)(batch), expected)
    assert nn.DataParallel(small)(batch, outputs="all").logits.shape == (2, 7)


@pytest.mark.parametrize("build", [osnet.osnet_x0_25, osnet.osnet_ain_x1_0])
def test_its_stages_hold_all_that_comes_before_the_embedding(build):
    model = build(num_classes=2, pretrained=False)
    depths = model.layer_depths()
    names = [name for name, _ in model.named_parameters()]
    assert list(depths) == [name for name in names if not name.startswith(("fc.", "classifier."))]
    assert [depths[name] for name in depths] == sorted(depths.values())
    assert set(depths.values()) == {0, 1, 2, 3, 4}
