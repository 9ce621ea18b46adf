"""Folding: the same features of fewer layers, and networks that it must leave alone."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reidcore.inference.folding import ValueReads, fold_normalisation
from reidcore.models import build_model


class Net(nn.Module):
    """Two convolutions with their normalisations; what lies between them is a test's affair."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, bias=False)
        self.norm, self.last = nn.BatchNorm2d(4), nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.first(images)).relu()
        return self.last(self.second(maps)).mean(dim=(2, 3))


class Shared(Net):
    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.first(images))
        return self.last(self.second(self.norm(maps))).mean(dim=(2, 3))


class Residual(Net):
    """What the first convolution gives is used beside its normalisation."""

    def forward(self, images: Tensor) -> Tensor:
        maps = self.first(images)
        return self.last(self.second(self.norm(maps) + maps)).mean(dim=(2, 3))


class Between(Net):
    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.first(images).relu())
        return self.last(self.second(maps)).mean(dim=(2, 3))


class Choosing(Net):
    """Which normalisation follows depends on the images."""

    def forward(self, images: Tensor) -> Tensor:
        norm = self.norm if images.mean() > 0 else self.last
        return norm(self.first(images)).mean(dim=(2, 3))


class Reading(Choosing):
    """The same, by numpy."""

    def forward(self, images: Tensor) -> Tensor:
        norm = self.norm if np.asarray(images).mean() > 0 else self.last
        return norm(self.first(images)).mean(dim=(2, 3))


IMAGES = torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def trained(model: nn.Module) -> nn.Module:
    """Give normalisations statistics and weights that do something."""
    torch.manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -1, 1)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.uniform_(layer.bias, -1, 1)
    return model.eval()


@pytest.mark.parametrize(("kind", "folded"), [(Net, 2), (Shared, 1), (Between, 1), (Residual, 0)])
def test_what_follows_a_convolution_alone_is_folded_and_features_stay(kind, folded) -> None:
    model = trained(kind())
    state = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        wanted = model(IMAGES)
        assert fold_normalisation(model, IMAGES) == folded
        torch.testing.assert_close(model(IMAGES), wanted, atol=1e-5, rtol=1e-5)
    left = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(left) == 2 - folded
    if not folded:
        assert all(torch.equal(model.state_dict()[key], state[key]) for key in state)


@pytest.mark.parametrize("kind", [Choosing, Reading])
def test_a_network_that_looks_at_values_is_left_as_it_was(kind) -> None:
    model = trained(kind())
    bright, dark = IMAGES + 5, IMAGES - 5
    with torch.no_grad():
        wanted = model(dark)
        assert fold_normalisation(model, bright) == 0
        assert torch.equal(model(dark), wanted)


def test_each_way_to_look_at_values_is_noted() -> None:
    one = torch.tensor(1)
    looks = [
        *(bool, int, float, complex, range, np.asarray, np.from_dlpack),
        *(Tensor.item, Tensor.tolist, Tensor.numpy, torch.is_nonzero),
        *(one.equal, one.allclose, one.__contains__),
    ]
    for look in looks:
        with ValueReads() as reads:
            look(one)
        assert reads.seen, look


def test_sizes_and_tensors_that_choose_are_no_values() -> None:
    with ValueReads() as reads:
        assert len(IMAGES) == IMAGES.shape[0] == 3
        torch.where(IMAGES > 0, IMAGES, -IMAGES)[:, :, ::2].mean()
    assert not reads.seen


def test_a_layer_that_something_listens_to_stays() -> None:
    model = trained(Net())
    heard = []
    model.norm.register_forward_hook(lambda layer, taken, given: heard.append(given))
    with torch.no_grad():
        assert fold_normalisation(model, IMAGES) == 1
        heard.clear()
        model(IMAGES)
    assert len(heard) == 1


def test_weights_are_rounded_once() -> None:
    model = trained(Net())
    exact = copy.deepcopy(model).double()
    scale = exact.norm.weight / (exact.norm.running_var + exact.norm.eps).sqrt()
    assert fold_normalisation(model, IMAGES) == 2
    wanted = (exact.first.weight * scale[:, None, None, None]).float()
    torch.testing.assert_close(model.first.weight, wanted, atol=0, rtol=6e-8)


def test_a_real_network() -> None:
    model = trained(build_model("osnet_x0_25", 2, pretrained=False))
    images = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        wanted = model(images)
        assert fold_normalisation(model, images) > 50
        torch.testing.assert_close(model(images), wanted, atol=1e-4, rtol=1e-4)
