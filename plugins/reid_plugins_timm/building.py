"""Build a timm network for images of a size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import timm
from torch import nn

from reid_plugins_timm.backbone import TimmModel, adopt
from reid_plugins_timm.weights import loading_weights
from reidcore.errors import ConfigError


def build_backbone(
    name: str,
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int] = (256, 128),
    drop_path_rate: float = 0.0,
) -> TimmModel:
    """Build the model that timm has under a name.

    Args:
        name: of an architecture, or with a tag of published weights after a dot.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        pretrained: load timm's weights; those of the tag, or the architecture's usual ones.
        image_size: height and width of the images. A network that learns a position for each patch
            is made for them, its pretrained positions interpolated.
        drop_path_rate: share of the residual branches left out in training (stochastic depth).

    Raises:
        ConfigError: if the network does not take images of that size, or no such rate.
        UserError: if there are no such weights, or they cannot be downloaded.
    """
    height, width = image_size
    with loading_weights(name) if pretrained else nullcontext():
        backbone, sized = _create(name, pretrained, (height, width), drop_path_rate)
    try:
        model = adopt(backbone, num_classes, loss, (height, width))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise _wrong_size(name, (height, width), error) from error
    if _learns_positions(name) and "dynamic_img_size" not in sized:
        model.fixed_size = (height, width)
    return model


def _create(
    name: str, pretrained: bool, size: tuple[int, int], drop_path_rate: float
) -> tuple[nn.Module, dict[str, Any]]:
    """Return the network, and the arguments about the images' size that it took."""
    options: dict[str, Any] = {"drop_path_rate": drop_path_rate} if drop_path_rate else {}
    refusal: Exception | None = None
    for sized in _ways_to_size(name, size):
        try:
            backbone = timm.create_model(
                name, pretrained=pretrained, num_classes=0, **sized, **options
            )
        except (TypeError, AssertionError) as error:  # it takes no such argument, or not this size
            refusal = error
        else:
            return backbone, sized
    if isinstance(refusal, TypeError) and "drop_path_rate" in str(refusal):
        raise ConfigError(
            f"timm/{name} has no branches to drop", "Leave model.drop_path_rate out."
        ) from refusal
    raise _wrong_size(name, size, refusal) from refusal


def _ways_to_size(name: str, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the arguments to try: positions for the size, and for others as well if it can."""
    if _learns_positions(name):
        yield {"img_size": size, "dynamic_img_size": True}
        yield {"img_size": size}
    yield {}


def _learns_positions(name: str) -> bool:
    return bool(timm.get_pretrained_cfg_value(name, "fixed_input_size"))


def _wrong_size(name: str, size: tuple[int, int], error: Exception | None) -> ConfigError:
    _, height, width = timm.get_pretrained_cfg_value(name, "input_size") or (3, 224, 224)
    return ConfigError(
        f"timm/{name} does not take images of {size[0]}x{size[1]} (height x width): {error}",
        f"It is published for {height}x{width}. Set data.height and data.width.",
    )
