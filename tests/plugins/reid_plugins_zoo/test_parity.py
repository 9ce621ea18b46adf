"""Every architecture that Torchreid ships, against figures measured on Torchreid 1.4.0.

Weights and images depend on nothing but keys, shapes and a seed, so that two implementations with
the same keys and shapes must compute the same.
"""

from __future__ import annotations

import copy
import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore.errors import UserError
from reidcore.utils import compute_model_complexity

DATA = Path(__file__).parents[2] / "fixtures" / "models"
NAMES = tuple(json.loads(lzma.decompress((DATA / "models.json.xz").read_bytes())))

# Gates that see features of a thousand and more make these networks chaotic under such weights:
# rounding alone moves their features by several per cent, in Torchreid as well as here. So both
# are compared with gentler weights in the gates.
CHAOTIC = frozenset(name for name in NAMES if name.startswith("se_"))

# Parameters that training leaves without a gradient, by model.
UNTRAINED: dict[str, set[str]] = {}

# Enough to see outputs and gradients, where a network takes it.
SMALL = (64, 32)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def wanted(name, reference):
    return reference[name]


@pytest.fixture(scope="module")
def network(name, build, fill):
    return filled(name, build, fill, seed=0)


def filled(name, build, fill, seed):
    model = fill(build(name), seed).eval()
    if name in CHAOTIC:
        for key, value in model.state_dict().items():
            if key.endswith("se_module.fc2.weight"):
                value.mul_(1e-3)
    return model


def stored(file, name):
    """Features of Torchreid's network called ``name``, or None."""
    with np.load(DATA / f"features{file}.npz") as features:
        return torch.from_numpy(features[name]) if name in features else None


def shapes(outputs):
    if isinstance(outputs, torch.Tensor):
        return list(outputs.shape)
    return [shapes(part) for part in outputs]


def total(outputs):
    if isinstance(outputs, torch.Tensor):
        return outputs.square().sum()
    return sum(total(part) for part in outputs)


def distance(features, reference):
    """The largest difference, as a share of the largest feature."""
    return (features[:, : reference.shape[1]] - reference).abs().max() / features.abs().max()


def assert_agrees(network, batch, features, reference):
    """Compare with figures of float32, of which rounding alone may be more than a 1e-4th part.

    How much that is depends on the processor, that of the figures and this one, for one network up
    to a 3e-4th part. So where they differ, the exact features must lie as near to both.
    """
    if distance(features, reference) < 1e-4:
        return
    with torch.no_grad():
        exact = copy.deepcopy(network).double()(batch.double()).float()
    assert distance(features, exact) < 5e-4
    assert distance(exact, reference) < 5e-4


def test_there_are_49():
    assert len(NAMES) == 49


def test_state_dict_has_the_published_keys_in_their_order(network, wanted):
    state = [[key, list(value.shape)] for key, value in network.state_dict().items()]
    assert state == wanted["state_dict"]
    assert sum(p.numel() for p in network.parameters()) == wanted["params_total"]


def test_parameters_and_multiply_adds_agree(network, wanted):
    size = (1, 3, *wanted["input"])
    assert compute_model_complexity(network, size) == (wanted["params_test_time"], wanted["flops"])
    _, every_layer = compute_model_complexity(network, size, only_conv_linear=False)
    assert every_layer == wanted["flops_all_layers"]


def test_features_agree(name, network, images, wanted):
    batch = images(2, *wanted["input"])
    with torch.no_grad():
        features = network(batch)
    assert list(features.shape) == wanted["feature_shape"]
    assert features.shape[1] == network.feature_dim
    reference = stored("_gentle" if name in CHAOTIC else "", name)
    assert_agrees(network, batch, features, reference)


def test_features_agree_at_another_size(name, network, images):
    if network.fixed_size:
        with pytest.raises(UserError, match=r"takes images of \d+x\d+ .* these are 161x97"):
            network(images(2, 161, 97))
        return
    batch = images(2, 161, 97)
    with torch.no_grad():
        features = network(batch)
    assert_agrees(network, batch, features, stored("_161x97", name))


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_training_returns_what_the_loss_asks_for_and_every_parameter_learns(
    name, loss, network, build, images, wanted
):
    model = build(name, loss).train()
    model.load_state_dict(network.state_dict())
    outputs = model(images(2, *(model.fixed_size or map(max, SMALL, model.min_size))))
    assert shapes(outputs) == wanted[f"train_{loss}"]
    total(outputs).backward()
    still = {key for key, parameter in model.named_parameters() if parameter.grad is None}
    assert still == UNTRAINED.get(name, set())


@pytest.mark.parametrize("small", np.load(DATA / "features_seed1.npz").files)
def test_features_agree_for_another_seed(small, build, fill, images):
    model = filled(small, build, fill, seed=1)
    batch = images(2, *(model.fixed_size or (161, 97)), seed=1)
    with torch.no_grad():
        features = model(batch)
    assert_agrees(model, batch, features, stored("_seed1", small))
