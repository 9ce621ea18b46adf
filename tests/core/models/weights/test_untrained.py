"""Weights that nobody trained are told from those that somebody did."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.models import build_model, load_pretrained_weights
from reidcore.models.weights.untrained import untrained_weights
from reidcore.plugins import Plugins, make_plugins
from reidcore.testing import TinyNet, TinyWorld


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(TinyNet(3).state_dict(), tmp_path / "tiny.pth")
    return tmp_path / "tiny.pth"


@pytest.fixture
def plugins(weights: Path) -> Plugins:
    def published(num_classes: int, loss: str, pretrained: bool) -> TinyNet:
        network = TinyNet(num_classes, loss)
        if pretrained:
            load_pretrained_weights(network, weights)
        return network

    class Zoo:
        @hookimpl
        def reid_register_models(self, registry: Any) -> None:
            registry.add("published", published)

    return make_plugins(extra=[TinyWorld(), Zoo()])


@pytest.mark.parametrize(
    ("name", "pretrained", "what"),
    [
        ("tinynet", False, "random weights"),
        ("published", False, "random weights"),
        ("published", True, "pretrained weights with an untrained head"),
        ("tinynet", True, "the weights that the model was built with"),
    ],
)
def test_a_model_as_it_was_built(plugins: Plugins, name: str, pretrained: bool, what: str) -> None:
    model = build_model(name, 5, pretrained=pretrained, plugins=plugins)
    assert untrained_weights(model) == what
    assert untrained_weights(nn.DataParallel(copy.deepcopy(model))) == what
    assert untrained_weights(model.to(memory_format=torch.channels_last)) == what


def test_a_model_that_was_given_weights(plugins: Plugins, weights: Path) -> None:
    model = build_model("tinynet", 3, pretrained=False, plugins=plugins)
    load_pretrained_weights(model, weights)
    assert untrained_weights(model) == ""


def test_a_model_that_was_trained_or_filled_by_hand(plugins: Plugins) -> None:
    model = build_model("tinynet", 3, pretrained=False, plugins=plugins)
    model.load_state_dict(TinyNet(3).state_dict())
    assert untrained_weights(model) == ""
    model = build_model("tinynet", 3, pretrained=False, plugins=plugins)
    model(torch.rand(2, 3, 8, 8)).sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert untrained_weights(model) == ""


def test_of_a_model_that_something_else_built_nothing_is_known() -> None:
    assert untrained_weights(TinyNet(3)) == ""


def test_a_model_without_memory_is_built_all_the_same(plugins: Plugins) -> None:
    with torch.device("meta"):
        assert untrained_weights(build_model("tinynet", 3, pretrained=False, plugins=plugins)) == ""


def test_a_device_is_read_once_and_not_for_each_parameter(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    monkeypatch.setattr(torch.Tensor, "__float__", lambda self: reads.append(self) or 0.0)
    monkeypatch.setattr(torch.Tensor, "item", lambda self: reads.append(self) or 0.0)
    model = build_model("tinynet", 3, pretrained=False, plugins=plugins)
    assert untrained_weights(model) == "random weights"
    assert reads == []
