"""NASNet: its padding, its dropout, its two names."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo.nasnet import nasnetmobile
from reid_plugins_zoo.nasnet_cells import aligned
from torch import nn
from torch.nn import functional as F

from reidcore.registry import find


@pytest.mark.parametrize("window", [3, 5, 7])
@pytest.mark.parametrize(("height", "width"), [(8, 6), (9, 7), (8, 7), (9, 6)])
def test_halving_pads_as_tensorflow_does(window, height, width):
    layer = nn.Conv2d(1, 1, window, stride=2, padding=window // 2).double()
    maps = torch.randn(1, 1, height, width, dtype=torch.float64)

    def around(size):
        total = window - 2 if size % 2 == 0 else window - 1
        return total // 2, total - total // 2

    padded = F.pad(maps, (*around(width), *around(height)))
    same = F.conv2d(padded, layer.weight, layer.bias, stride=2)
    assert same.shape[-2:] == ((height + 1) // 2, (width + 1) // 2)
    torch.testing.assert_close(aligned(layer, maps), same)


def test_half_of_the_features_are_dropped_in_training_alone():
    with torch.device("meta"):
        model = nasnetmobile(num_classes=3, pretrained=False)
    maps = torch.ones(8, model.feature_dim, 2, 1)
    torch.manual_seed(0)
    assert (model.train().embed(maps) == 0).float().mean() == pytest.approx(0.5, abs=0.03)
    assert (model.eval().embed(maps) == 1).all()


def test_both_spellings_find_it():
    assert find("models", "nasnsetmobile").load() is find("models", "nasnetmobile").load()
