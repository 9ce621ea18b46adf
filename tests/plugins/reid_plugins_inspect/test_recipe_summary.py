"""What a recipe needs and costs is told as far as it is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_inspect.recipe_cost import SPEED, TrainingCost, training_cost
from reid_plugins_inspect.recipe_summary import minutes, recipe_lines, summarize_recipe
from torch import nn

from reidcore import hookimpl, registry
from reidcore.config import load_config
from reidcore.models import WeightsStore, find_published
from reidcore.plugins import Plugins, make_plugins

Summarize = Callable[[str], dict[str, Any]]


class TwoConvolutions(nn.Module):
    """4 x 4 images of 3 channels -> 5 maps of 4 x 4 -> 7 maps of 4 x 4, and their mean."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3, padding=1, bias=False)
        self.second = nn.Conv2d(5, 7, 1, bias=False)
        self.classifier = nn.Linear(7, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.second(self.first(images)).mean((2, 3))
        return self.classifier(features) if self.training else features


@pytest.fixture
def summarized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Summarize:
    """Summarize a text as a recipe of a third party's plugin."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / f"package_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()

    def summarized(text: str) -> dict[str, Any]:
        (package / "mine.yaml").write_text(text)
        plugins = plugins_with(f"{package.name}:mine.yaml")
        return summarize_recipe(registry.find("configs", "mine", plugins), plugins)

    return summarized


def plugins_with(target: str) -> Plugins:
    class Theirs:
        @hookimpl
        def reid_register_configs(self, registry: Any) -> None:
            registry.add("mine", target)

        @hookimpl
        def reid_register_models(self, registry: Any) -> None:
            registry.add("two_convolutions", lambda num_classes, **_: TwoConvolutions(num_classes))

    return make_plugins(extra=[Theirs()])


def test_a_bundled_recipe_says_what_it_needs() -> None:
    plugins = make_plugins()
    record = summarize_recipe(registry.find("configs", "osnet_x0_25_market1501", plugins), plugins)
    assert record["problems"] == []
    assert record["card"]["code"]["licence"] == "MIT"
    assert [need["name"] for need in record["datasets"]] == ["market1501"]
    assert record["weights"]["filename"] == "osnet_x0_25_imagenet.pth"
    text = "\n".join(recipe_lines(record))
    assert "needs dataset market1501 (Market-1501); licence: not stated" in text
    assert "needs weights osnet_x0_25 (osnet_x0_25_imagenet.pth); licence: MIT" in text
    assert "not on this machine: reidcore weights fetch osnet_x0_25" in text
    assert "model.pretrained=false" in text
    assert "12,936 images" in text
    held = WeightsStore().folder / find_published("osnet_x0_25").filename
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_bytes(b"weights")
    try:
        record = summarize_recipe(
            registry.find("configs", "osnet_x0_25_market1501", plugins), plugins
        )
    finally:
        held.unlink()
    assert record["weights"]["state"] == f"on this machine: {held}"


def test_weights_that_another_library_downloads_are_told_with_what_to_do_without() -> None:
    plugins = make_plugins()
    record = summarize_recipe(registry.find("configs", "layumi_dinov3", plugins), plugins)
    text = "\n".join(recipe_lines(record))
    assert "needs weights timm/vit_base_patch16_dinov3.lvd1689m, DINOv3 on LVD" in text
    assert "downloaded when the network is built; without them: model.pretrained=false" in text


def test_costs_are_those_reckoned_by_hand() -> None:
    config = load_config(
        {
            "model": {"name": "two_convolutions", "pretrained": False},
            "data": {"height": 4, "width": 4, "sources": ["market1501"]},
            "train": {"batch_size": 10, "optim": "sgd"},
        },
        plugins=(plugins := plugins_with("reid_plugins_standard:recipes/quickstart.yaml")),
    )
    cost = training_cost(config, plugins)
    assert cost.parameters == 27 * 5 + 5 * 7
    assert cost.multiply_adds == 16 * (27 * 5 + 5 * 7)
    assert cost.images == 12_936
    assert cost.seconds == pytest.approx(6 * cost.multiply_adds * 12_936 / SPEED)
    # weight, gradient and momentum of each parameter; 5 + 7 maps of 4 x 4 of each image; 4 bytes
    assert cost.memory == 4 * (3 * cost.parameters + 10 * 16 * 12)
    half = config.model_copy(update={"train": config.train.model_copy(update={"amp": "bf16"})})
    assert cost.memory - training_cost(half, plugins).memory == 2 * 10 * 16 * 12


@pytest.mark.parametrize(("seconds", "told"), [(90, "1.5"), (6, "0.1"), (1.2, "0.020")])
def test_short_epochs_are_not_told_as_none(seconds: float, told: str) -> None:
    assert minutes(TrainingCost(0, 0, 1, seconds, 0)) == told


def test_a_third_partys_recipe_shows_what_there_is(summarized: Summarize) -> None:
    record = summarized("# Our own.\nmodel: {name: two_convolutions, pretrained: false}\n")
    assert (record["about"], record["card"], record["weights"]) == ("Our own.", None, None)
    assert record["problems"] == []
    assert record["cost"]["parameters"] == 27 * 5 + 5 * 7
    assert recipe_lines(record)[-1] == "model: {name: two_convolutions, pretrained: false}"


def test_what_cannot_be_known_is_said_and_the_rest_shown(summarized: Summarize) -> None:
    record = summarized("# Code: somewhere\nmodel: {name: no_such_network}\n")
    header, config = record["problems"]
    assert "no label 'Paper'" in header
    assert "no_such_network" in config
    assert record["cost"] is None
    lines = recipe_lines(record)
    assert sum(line.startswith("not known: ") for line in lines) == 2
    assert lines[-1] == "model: {name: no_such_network}"
