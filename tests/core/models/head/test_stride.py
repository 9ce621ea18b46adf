"""Last stride 1, found by watching a network run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reidcore.errors import ConfigError
from reidcore.models import ReidModel
from reidcore.models.head.stride import keep_last_size


class Convolutions(ReidModel):
    """Layers in a row, their maps averaged."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def featuremaps(self, images):
        return self.layers(images)

    def embed(self, maps):
        return maps.mean((2, 3))


class Residual(nn.Module):
    """Two roads that must agree on the size of their maps, and a gate that looks at the whole."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.downsample = nn.Conv2d(channels, channels, 1, stride=2)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))

    def forward(self, maps):
        branch = self.conv(maps)
        return branch * self.gate(branch).sigmoid() + self.downsample(maps)


class Cropping(Residual):
    """Counts on its maps having half the size."""

    def forward(self, maps):
        return self.conv(maps) + maps[:, :, ::2, ::2]


def conv(c_in=4, kernel=3, stride=2):
    return nn.Conv2d(c_in, 4, kernel, stride, padding=kernel // 2)


def kept(*layers):
    model = Convolutions(*layers).eval()
    images = torch.zeros(1, 3, 32, 16)
    with torch.no_grad():
        before = model(images, return_featuremaps=True).shape[2:]
        keys = list(model.state_dict())
        names = keep_last_size(model, images)
        after = model(images, return_featuremaps=True).shape[2:]
    assert list(model.state_dict()) == keys
    return names, tuple(before), tuple(after)


def test_the_last_convolution_that_halves() -> None:
    names, before, after = kept(conv(3), conv(), conv(stride=1))
    assert (names, before, after) == (["layers.1"], (8, 4), (16, 8))


def test_both_roads_of_a_block() -> None:
    names, before, after = kept(conv(3), Residual(4), nn.ReLU())
    assert names == ["layers.1.conv", "layers.1.downsample"]
    assert (before, after) == ((8, 4), (16, 8))


@pytest.mark.parametrize(
    "pool", [nn.AvgPool2d(2), nn.MaxPool2d((2, 2)), nn.MaxPool2d(3, stride=2, padding=1)]
)
def test_a_pooling(pool) -> None:
    names, before, after = kept(conv(3), pool, conv(stride=1))
    assert (names, before, after) == (["layers.1"], (8, 4), (16, 8))


@pytest.mark.parametrize(
    "layers",
    [(conv(3, stride=1),), (nn.Conv2d(3, 4, 8, stride=8),)],
    ids=["nothing shrinks", "patches"],
)
def test_a_network_that_does_not_halve_its_last_maps_is_refused(layers) -> None:
    with pytest.raises(ConfigError, match="last_stride=1: Convolutions has no layer that halves"):
        kept(*layers)


def test_a_network_that_needs_the_stride_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"does not run with stride 1 in layers\.1\.conv"):
        kept(conv(3), Cropping(4))
