"""DenseNet: old keys, and layers that drop."""

from __future__ import annotations

import re

import pytest
import torch
from reid_plugins_zoo.densenet import densenet121, undotted


@pytest.fixture
def outline():
    with torch.device("meta"):
        return densenet121(num_classes=3, pretrained=False, drop_rate=0.25)


def test_keys_of_torchvisions_files_are_brought_up_to_date(outline):
    keys = [key for key in outline.state_dict() if key.startswith("features")]
    old = [re.sub(r"(denselayer\d+\.[a-z]+)([12])", r"\1.\2", key) for key in keys]
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    assert sum(before != now for before, now in zip(old, keys, strict=True)) == 58 * 12
    assert [undotted(key) for key in old] == keys
    assert [undotted(key) for key in keys] == keys


def test_dropping_reaches_every_layer(outline):
    rates = [layer.drop_rate for layer in outline.modules() if hasattr(layer, "drop_rate")]
    assert rates == [0.25] * 58
