"""What a recipe costs to train, estimated from its network without data, weights or a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from reid_plugins_inspect.complexity import CONV_LINEAR, record_calls
from reid_plugins_inspect.summary import USUAL_CLASSES
from reidcore.config import Config, model_arguments, options_of
from reidcore.data import OfficialCount, card_of
from reidcore.models import build_model
from reidcore.registry import find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

SPEED = 10e12
"""Operations a second of the device that times are estimated for: 10 TFLOP/s, sustained."""

BACKWARD = 2
"""What the way back costs, in ways forward: gradients of the inputs and of the weights."""

_CAMERAS, _VIEWS = 6, 8  # where a dataset says nothing of them; an embedding of them costs nothing
_STATES = {"sgd": 1, "amsgrad": 3}  # numbers that an optimizer keeps for each parameter
_USUAL_STATES = 2


@dataclass(frozen=True)
class TrainingCost:
    """What one epoch takes, estimated.

    Attributes:
        parameters: of the network, at test time.
        multiply_adds: of convolutions and linear layers, forward, of one image.
        images: training images of the sources; 0 where a source says nothing of its size.
        seconds: of an epoch on a device of `SPEED`, of reckoning alone.
        memory: bytes that a training step holds: the weights, their gradients, what the optimizer
            keeps of them, and what every layer gives of every image of the batch.
    """

    parameters: int
    multiply_adds: int
    images: int
    seconds: float
    memory: int


def training_cost(config: Config, plugins: Plugins) -> TrainingCost:
    """Estimate what a recipe takes to train.

    Args:
        config: a checked configuration.
        plugins: where its components are looked up.

    Raises:
        UserError: the network cannot be built, or does not take such images.
    """
    trained = _official_counts(config, plugins)
    classes = sum(filter(None, (count.ids for count in trained))) or USUAL_CLASSES
    cameras = sum(filter(None, (count.cameras for count in trained)))
    images = sum(filter(None, (count.images for count in trained)))
    size = (1, 3, config.data.height, config.data.width)
    try:
        with torch.device("meta"):
            calls = record_calls(_network(config, classes, cameras, plugins), size, CONV_LINEAR)
    except (NotImplementedError, RuntimeError, TypeError):  # it needs memory for its tensors
        calls = record_calls(_network(config, classes, cameras, plugins), size, CONV_LINEAR)
    parameters = sum(call.params for call in calls)
    multiply_adds = sum(call.flops for call in calls)
    kept = sum(call.outputs for call in calls) * config.train.batch_size
    states = _STATES.get(config.train.optim, _USUAL_STATES)
    return TrainingCost(
        parameters=parameters,
        multiply_adds=multiply_adds,
        images=images,
        seconds=2 * multiply_adds * (1 + BACKWARD) * images / SPEED,
        memory=4 * parameters * (2 + states) + (4 if config.train.amp == "off" else 2) * kept,
    )


def _network(config: Config, classes: int, cameras: int, plugins: Plugins) -> nn.Module:
    return build_model(
        config.model.name,
        classes,
        pretrained=False,
        plugins=plugins,
        num_cameras=cameras or _CAMERAS,
        num_views=_VIEWS,
        **model_arguments(config, plugins),
    )


def _official_counts(config: Config, plugins: Plugins) -> list[OfficialCount]:
    """Return the official size of each source's training images, where there is one."""
    splits = ("train", "query", "gallery") if config.data.combineall else ("train",)
    found: list[OfficialCount] = []
    for name in config.data.sources:
        if name in config.data.datasets:
            continue
        entry = find("datasets", name, plugins)
        card = card_of(entry.load())
        defaults = {key: each.default for key, each in entry.parameters().items()}
        options = {**defaults, **options_of(config, "datasets", name, plugins)}
        fitting = (
            [each for each in card.counts if each.when.items() <= options.items()] if card else []
        )
        found += {each.split: each for each in fitting if each.split in splits}.values()
    return found
