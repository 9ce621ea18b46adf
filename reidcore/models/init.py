"""The starting weights that re-identification networks are published with."""

from __future__ import annotations

from torch import nn


def initialise(network: nn.Module) -> None:
    """Draw starting weights in place.

    Convolutions are drawn for ReLU (He et al., "Delving Deep into Rectifiers", ICCV 2015), linear
    layers from N(0, 0.01); normalisation layers start as the identity; biases are zero.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d):
            if layer.affine:
                nn.init.ones_(layer.weight)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
