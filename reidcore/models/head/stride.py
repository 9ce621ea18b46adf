"""Last stride 1: larger last maps from any convolutional network, with the same weights.

Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPRW 2019, do
so in a ResNet. Here the layers are found by watching the network run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidcore.errors import ConfigError
from reidcore.models.reid_model import ReidModel

Size = tuple[int, int]
Shrinking = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


class _Call(NamedTuple):
    """One call of a layer that may shrink maps: its sizes (height, width) before and after."""

    name: str
    before: Size
    after: Size


def keep_last_size(model: ReidModel, images: Tensor) -> list[str]:
    """Let a network's maps keep their size where they would be halved last.

    Every layer of stride 2 whose output has the size of the last maps gets stride 1, be it a
    convolution or a pooling; a pooling of windows side by side is left out instead. No weight and
    no key changes.

    Args:
        model: in evaluation mode; changed in place.
        images: what it is watched on, (B, 3, H, W).

    Returns:
        The names of the layers.

    Raises:
        ConfigError: if no layer halves the maps last, or the network does not run without that.
    """
    with _watching(model) as calls:
        last = _size(model.featuremaps(images))
    names = [
        call.name
        for call in dict.fromkeys(calls)
        if call.after == last and call.before != last and _stride(model, call.name) == 2
    ]
    kind = type(model).__name__
    if not names:
        raise ConfigError(
            f"model.head.last_stride=1: {kind} has no layer that halves its last maps "
            f"({last[0]}x{last[1]} for images of {images.shape[2]}x{images.shape[3]})",
            "It is for convolutional networks; leave it out.",
        )
    for name in names:
        _keep_size(model, name)
    try:
        size = _size(model.featuremaps(images))
        model.describe(images)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"model.head.last_stride=1: {kind} does not run with stride 1 in {', '.join(names)}: "
            f"{error}",
            "Leave it out for this network.",
        ) from error
    if not (size[0] > last[0] or size[1] > last[1]):
        raise ConfigError(
            f"model.head.last_stride=1: stride 1 in {', '.join(names)} of {kind} makes its last "
            "maps no larger",
            "Leave it out for this network.",
        )
    return names


@contextmanager
def _watching(model: nn.Module) -> Iterator[list[_Call]]:
    """List the calls of convolutions and poolings."""
    calls: list[_Call] = []

    def watch(name: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            calls.append(_Call(name, _size(inputs[0]), _size(output)))

        return layer.register_forward_hook(note)

    handles = [
        watch(name, layer) for name, layer in model.named_modules() if isinstance(layer, Shrinking)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _keep_size(model: nn.Module, name: str) -> None:
    layer = model.get_submodule(name)
    is_pool = not isinstance(layer, nn.Conv2d)
    is_side_by_side = _pair(layer.kernel_size) == _pair(layer.stride)
    if is_pool and is_side_by_side and _pair(layer.padding) == (0, 0):
        model.set_submodule(name, nn.Identity())
    else:
        layer.stride = 1 if is_pool else (1, 1)  # type: ignore[assignment]


def _stride(model: nn.Module, name: str) -> int:
    return max(_pair(model.get_submodule(name).stride))


def _pair(value: Any) -> Size:
    return value if isinstance(value, tuple) else (value, value)


def _size(maps: Tensor) -> Size:
    height, width = maps.shape[-2:]
    return height, width
