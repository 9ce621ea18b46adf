"""Whatever a program gives in the place of a value, the error that refuses it can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from reid_plugins_extraction.find_images import find_images
from torch import nn

from reidcore.config import load_config
from reidcore.config.options import RunPlan
from reidcore.data import ImageDataManager, ImageDataset, SampleTable, VideoDataset, from_folders
from reidcore.errors import UserError
from reidcore.evaluation import evaluate_features
from reidcore.inference import FeatureExtractor
from reidcore.models import build_model, load_pretrained_weights
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import make_plugins
from reidcore.registry import find
from reidcore.utils import open_specified_layers

LONG: dict[str, Any] = {
    "text": "x" * 500_000,
    "list": ["x" * 10] * 50_000,
    "nested": [[7] * 1000] * 500,
    "number": 10**5000,
    "section": {f"key{n}": n for n in range(50_000)},
}


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)


def images(**given: Any) -> ImageDataManager:
    return ImageDataManager("nowhere", "market1501", **given)


# What takes a value of any kind, and refuses these.
OF_VALUES: dict[str, Callable[[Any], object]] = {
    "a key": lambda value: load_config({"train": {"lr": value}}),
    "an option": lambda value: load_config({"random_erase": {"probability": value}}),
    "a key by hand": lambda value: setattr(load_config().train, "max_epoch", value),
    "sources": lambda value: ImageDataManager("nowhere", sources=value),
    "three sources": lambda value: ImageDataManager("nowhere", sources=[value] * 3),
    "height": lambda value: images(height=value),
    "sections": lambda value: images(transforms="random_erase", sections={"random_erase": value}),
    "train": lambda value: ImageDataset([value] * 3, [], []),
    "a sample": lambda value: ImageDataset([(value, 1, 1, 1, 1)], [], []),
    "a pid": lambda value: SampleTable.of([("a.jpg", value, 0)]),
    "frames": lambda value: VideoDataset([((value, 5), 1, 0)], [], []),
    "a loss": lambda value: build_model("osnet_x0_25", 2, loss=value),
    "a model's option": lambda value: build_model("resnet50", 2, last_stride=value),
    "lr": lambda value: build_optimizer(nn.Linear(1, 1), lr=value),
    "gamma": lambda value: build_lr_scheduler(optimizer(), gamma=value),
    "max_epoch": lambda value: build_lr_scheduler(optimizer(), "cosine", max_epoch=value),
    "a plan": lambda value: RunPlan.checked(ranks=value),
    "image_size": lambda value: FeatureExtractor("osnet_x0_25", device="cpu", image_size=value),
    "batch_size": lambda value: FeatureExtractor("osnet_x0_25", device="cpu", batch_size=value),
}
# What takes a name.
OF_NAMES: dict[str, Callable[[str], object]] = {
    "an unknown key": lambda value: load_config({"train": {value: 1}}),
    "a configuration": load_config,
    "an override": lambda value: load_config(None, [value]),
    "a path": lambda value: ImageDataset([(value + "\0", 1, 1)], [], []),
    "a model": lambda value: build_model(value, 2),
    "a component": lambda value: find("datasets", value),
    "weights": lambda value: load_pretrained_weights(nn.Linear(1, 1), value),
    "an optimizer": lambda value: build_optimizer(nn.Linear(1, 1), value),
    "a device": lambda value: FeatureExtractor("osnet_x0_25", device=value),
    "a plugin": lambda value: make_plugins(extra=[value]),
    "a plugin's file": lambda value: make_plugins(extra=[f"{value}.py"]),
    "images": lambda value: find_images([value]),
    "a folder": lambda value: from_folders(value),
    "a metric": lambda value: evaluate_features(*[torch.ones(2, 2)] * 2, *[[1, 1]] * 4, value),
    "a layer": lambda value: open_specified_layers(nn.Linear(1, 1), value),
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("what", OF_VALUES)
def test_a_value_of_any_size_is_refused_in_a_few_lines(what: str, kind: str) -> None:
    with pytest.raises(UserError) as refused:
        OF_VALUES[what](LONG[kind])
    assert len(str(refused.value)) < 6000


@pytest.mark.parametrize("what", OF_NAMES)
def test_a_name_of_any_length_is_refused_in_a_few_lines(what: str) -> None:
    with pytest.raises(UserError) as refused:
        OF_NAMES[what](LONG["text"])
    assert len(str(refused.value)) < 6000
