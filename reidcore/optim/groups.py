"""Parameter groups: one learning rate for everything, or a smaller one for pretrained layers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from torch import nn

from reidcore.models.layers import as_layer_names, inside, require_layers, unwrap

_log = logging.getLogger(__name__)


def parameter_groups(
    model: nn.Module,
    lr: float,
    staged_lr: bool = False,
    new_layers: str | Iterable[str] = "",
    base_lr_mult: float = 0.1,
) -> list[dict[str, Any]]:
    """Split a model's parameters into the groups that an optimizer takes.

    Frozen parameters are kept, so that layers opened later in a run are trained.

    Args:
        model: the network; a data-parallel wrapper is looked through.
        lr: learning rate of the new layers.
        staged_lr: whether the base (pretrained) layers get ``lr * base_lr_mult``.
        new_layers: dotted names of the layers that start from random weights.
        base_lr_mult: factor on the learning rate of all other parameters.

    Returns:
        One group, or with ``staged_lr`` two: the base parameters, then the new layers'.

    Raises:
        UnknownNameError: a name in ``new_layers`` is no layer of the model.
    """
    network = unwrap(model)
    named = list(network.named_parameters())
    if not staged_lr:
        return [{"params": [parameter for _, parameter in named]}]
    names = as_layer_names(new_layers)
    if not names:
        _log.warning("staged_lr without new_layers: every layer learns at lr * %g", base_lr_mult)
    require_layers(network, names)
    base = [parameter for name, parameter in named if not inside(name, names)]
    new = [parameter for name, parameter in named if inside(name, names)]
    return [{"params": base, "lr": lr * base_lr_mult}, {"params": new}]
