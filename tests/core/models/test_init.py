"""Starting weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from reidcore.models import initialise


def test_each_kind_of_layer_starts_as_described():
    torch.manual_seed(0)
    conv, linear = nn.Conv2d(64, 128, 3), nn.Linear(400, 300)
    norms = [nn.BatchNorm2d(8), nn.BatchNorm1d(8), nn.InstanceNorm2d(8, affine=True)]
    for norm in norms:
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.bias)
    initialise(nn.Sequential(conv, linear, *norms, nn.InstanceNorm2d(8)))
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (128 * 9)), rel=0.02)
    assert linear.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert all((norm.weight == 1).all() for norm in norms)
    assert all((layer.bias == 0).all() for layer in (conv, linear, *norms))
