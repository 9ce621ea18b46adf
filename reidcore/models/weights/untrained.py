"""Whether anything was done to a network's weights since it was built."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from reidcore.models.layers import unwrap

_AS_BUILT, _LOADED = "_as_built", "_weights_loaded"


def remember_as_built(model: nn.Module, pretrained: bool) -> None:
    """Keep with a network what its weights are, and how they begin, when it has been built."""
    network = unwrap(model)
    what = "random weights"
    if pretrained and any(_LOADED in module.__dict__ for module in network.modules()):
        what = "pretrained weights with an untrained head"
    elif pretrained:
        what = "the weights that the model was built with"
    network.__dict__[_AS_BUILT] = (what, _first_numbers(network))


def remember_loading(model: nn.Module) -> None:
    """Note that a network was given weights, by its factory or after it was built."""
    network = unwrap(model)
    network.__dict__[_LOADED] = True
    network.__dict__.pop(_AS_BUILT, None)


def untrained_weights(model: nn.Module) -> str:
    """Return what a network's weights are, if nobody trained or loaded any since it was built.

    Returns:
        Such as ``"random weights"``; nothing for others, and where ``build_model`` did not build
        the network.
    """
    network = unwrap(model)
    what, numbers = network.__dict__.get(_AS_BUILT, ("", []))
    return what if numbers and numbers == _first_numbers(network) else ""


def _first_numbers(network: nn.Module) -> list[float]:
    """Return the first number of each parameter; training, and other weights, change some."""
    on_device: dict[torch.device, list[Tensor]] = {}  # each of which is read once
    for each in network.parameters():
        if not (is_lazy(each) or each.is_meta) and each.numel():
            number = each.detach()[(0,) * each.dim()].real.float()
            on_device.setdefault(each.device, []).append(number)
    return [number for held in on_device.values() for number in torch.stack(held).tolist()]
