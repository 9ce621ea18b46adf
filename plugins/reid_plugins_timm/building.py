"""Build a timm network for images of a size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, Any

import timm
import torch
from pydantic import Field
from torch import nn

from reid_plugins_timm.backbone import TimmModel, TokenPool, adopt
from reid_plugins_timm.weights import loading_weights
from reidcore.errors import ConfigError

Rate = Annotated[float, Field(ge=0, lt=1)]


def build_backbone(
    name: str,
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int] = (256, 128),
    drop_path_rate: Rate = 0.0,
    pool_tokens: TokenPool = "own",
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
        pool_tokens: what the features of a transformer are: those that timm pools by itself
            (``own``), or the mean of all its tokens, those for the whole image included (``all``).

    Raises:
        ConfigError: if the network does not take images of that size, no such rate, or gives no
            tokens to pool.
        UserError: if there are no such weights, or they cannot be downloaded.
    """
    height, width = image_size
    with loading_weights(name) if pretrained else nullcontext():
        backbone, sized = _create(name, pretrained, (height, width), drop_path_rate)
    try:
        model = adopt(backbone, num_classes, loss, (height, width), pool_tokens)
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
        f"It is published for {height}x{width}.{_nearest_sizes(name, size)} Set data.height and "
        "data.width.",
    )


def _nearest_sizes(name: str, size: tuple[int, int]) -> str:
    """Say which sizes around one a network's patches divide."""
    with torch.device("meta"):
        network = timm.create_model(name, pretrained=False, num_classes=0)
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    if not isinstance(patch, tuple):
        return ""
    smaller = [max(1, side // each) * each for side, each in zip(size, patch, strict=True)]
    larger = [-(-side // each) * each for side, each in zip(size, patch, strict=True)]
    near = dict.fromkeys("{}x{}".format(*sides) for sides in (smaller, larger))
    return f" Its patches fit {' and '.join(near)}."
