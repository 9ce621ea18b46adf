"""Freeze and open layers, and count parameters."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from reidcore._layers import as_layer_names, inside, require_layers, unwrapped


def open_all_layers(model: nn.Module) -> None:
    """Put the whole model in training mode, with every parameter trainable."""
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(True)


def open_specified_layers(model: nn.Module, open_layers: str | Iterable[str]) -> None:
    """Train some layers and freeze the others, whose batch statistics are frozen as well.

    The model's own ``training`` flag stays as it is, since its outputs depend on it.

    Args:
        model: the network; a data-parallel wrapper is looked through.
        open_layers: dotted names of the layers to train, such as ``"classifier"``.

    Raises:
        UnknownNameError: the model has no such layer; the message names the nearest.
    """
    network = unwrapped(model)
    names = as_layer_names(open_layers)
    require_layers(network, names)
    for name, layer in network.named_modules():
        if name:
            layer.training = inside(name, names)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(inside(name, names))


def count_num_param(model: nn.Module) -> int:
    """Count the parameters used at test time: all but those of ``model.classifier``."""
    network = unwrapped(model)
    total = sum(parameter.numel() for parameter in network.parameters())
    classifier = getattr(network, "classifier", None)
    if isinstance(classifier, nn.Module):
        total -= sum(parameter.numel() for parameter in classifier.parameters())
    return total
