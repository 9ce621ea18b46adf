"""OSNet against figures measured on Torchreid 1.4.0."""

from __future__ import annotations

import copy
import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reid_plugins_osnet import osnet
from reidcore.models import Outputs

DATA = Path(__file__).parents[2] / "data" / "osnet"
REFERENCE = json.loads(lzma.decompress((DATA / "reference.json.xz").read_bytes()))
NAMES = tuple(osnet.VARIANTS)


@pytest.fixture(scope="module")
def features():
    with np.load(DATA / "features.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored}


@pytest.fixture
def small():
    return osnet.osnet_x0_25(num_classes=7, pretrained=False)


def test_all_nine_are_there():
    assert set(NAMES) == set(REFERENCE)
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_has_the_published_keys_in_their_order(name):
    model = getattr(osnet, name)(num_classes=751, pretrained=False)
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()]
    assert state == REFERENCE[name]["state_dict"]
    assert sum(p.numel() for p in model.parameters()) == REFERENCE[name]["params_total"]


@pytest.mark.parametrize("name", NAMES)
def test_features_agree_with_the_reference(name, features, fill, images):
    model = fill(getattr(osnet, name)(num_classes=751, pretrained=False)).eval()
    with torch.no_grad():
        ours = model(images(2, 256, 128))
    reference = features[name]
    assert (ours - reference).abs().max() < 1e-4 * reference.abs().max()


@pytest.mark.parametrize("name", ["osnet_x0_25", "osnet_ain_x0_25"])
def test_training_returns_what_the_loss_asks_for(name, images):
    batch = images(2, 64, 32)
    logits = getattr(osnet, name)(num_classes=751, loss="softmax", pretrained=False)(batch)
    assert list(logits.shape) == REFERENCE[name]["train_softmax"]
    pair = getattr(osnet, name)(num_classes=751, loss="triplet", pretrained=False)(batch)
    assert [list(part.shape) for part in pair] == REFERENCE[name]["train_triplet"]


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


@pytest.mark.parametrize("name", ["osnet_x0_25", "osnet_ibn_x1_0", "osnet_ain_x0_25"])
def test_every_parameter_learns(name, images):
    torch.manual_seed(0)
    model = getattr(osnet, name)(num_classes=4, loss="triplet", pretrained=False)
    logits, features = model(images(4, 64, 32))
    (logits.logsumexp(1).sum() + features.square().sum()).backward()
    still = [key for key, value in model.named_parameters() if value.grad is None]
    assert still == []


def test_a_copy_and_data_parallel_compute_the_same(small, images):
    batch = images(2, 64, 32)
    small.eval()
    expected = small(batch)
    assert torch.equal(copy.deepcopy(small)(batch), expected)
    assert torch.equal(nn.DataParallel(small)(batch), expected)
    assert nn.DataParallel(small)(batch, outputs="all").logits.shape == (2, 7)
