"""Every architecture that Torchreid ships, against figures measured on Torchreid 1.4.0.

What depends on shapes alone is checked on networks without memory (torch's ``meta`` device); what
is computed, on one network a name, with weights that depend on nothing but keys and shapes.
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from reidcore.errors import UserError
from reidcore.models.complexity import compute_model_complexity

DATA = Path(__file__).parents[2] / "data" / "models"
NAMES = tuple(json.loads(lzma.decompress((DATA / "models.json.xz").read_bytes())))

# Parameters that training leaves alone, and why.
UNTRAINED: dict[tuple[str, str], set[str]] = {}

# Half the size is enough to see whether gradients flow, where a network takes it.
SMALL = (128, 64)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def wanted(name, reference):
    return reference[name]


@pytest.fixture(scope="module")
def outline(name, build):
    return build(name, device="meta")


@pytest.fixture(scope="module")
def network(name, build, fill):
    return fill(build(name))


def shapes(outputs):
    if isinstance(outputs, torch.Tensor):
        return list(outputs.shape)
    return [shapes(part) for part in outputs]


def test_there_are_49():
    assert len(NAMES) == 49


def test_state_dict_has_the_published_keys_in_their_order(outline, wanted):
    state = [[key, list(value.shape)] for key, value in outline.state_dict().items()]
    assert state == wanted["state_dict"]
    assert sum(p.numel() for p in outline.parameters()) == wanted["params_total"]


def test_parameters_and_multiply_adds_agree(outline, wanted):
    size = (1, 3, *wanted["input"])
    assert compute_model_complexity(outline, size) == (wanted["params_test_time"], wanted["flops"])
    _, every_layer = compute_model_complexity(outline, size, only_conv_linear=False)
    assert every_layer == wanted["flops_all_layers"]


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_training_returns_what_the_loss_asks_for(name, loss, build, wanted):
    model = build(name, loss, device="meta").train()
    outputs = model(torch.empty(2, 3, *wanted["input"], device="meta"))
    assert shapes(outputs) == wanted[f"train_{loss}"]


def test_features_agree(name, network, images, wanted):
    with np.load(DATA / "features.npz") as stored:
        reference = torch.from_numpy(stored[name])
    with torch.no_grad():
        features = network.eval()(images(2, *wanted["input"]))
    assert list(features.shape) == wanted["feature_shape"] == list(reference.shape)
    assert features.shape[1] == network.feature_dim
    assert (features - reference).abs().max() < 1e-4 * reference.abs().max()


def test_features_agree_at_another_size(name, network, images):
    network.eval()
    with np.load(DATA / "features_161x97.npz") as stored, torch.no_grad():
        if network.fixed_size:
            assert name not in stored
            with pytest.raises(UserError, match=r"takes images of \d+x\d+ .* these are 161x97"):
                network(images(2, 161, 97))
            return
        # The first 64 of each image.
        reference = torch.from_numpy(stored[name])
        features = network(images(2, 161, 97))
    assert (features[:, :64] - reference).abs().max() < 1e-4 * features.abs().max()


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_every_parameter_learns(name, loss, network, images):
    size = network.fixed_size or map(max, SMALL, network.min_size)
    outputs = network.train()(images(2, *size), outputs="all", pids=torch.tensor([0, 1]))
    network.zero_grad()
    _loss(loss, outputs).backward()
    still = {
        key
        for key, value in network.named_parameters()
        if value.grad is None or not value.grad.any()
    }
    assert still == UNTRAINED.get((name, loss), set())


def _loss(name, outputs):
    pids = torch.tensor([0, 1])
    logits = _parts(outputs.logits)
    total = sum(F.cross_entropy(part, pids) for part in logits)
    if name == "triplet":
        total = total + sum(part.square().mean() for part in _parts(outputs.features))
    return total


def _parts(outputs):
    return [outputs] if isinstance(outputs, torch.Tensor) else outputs
