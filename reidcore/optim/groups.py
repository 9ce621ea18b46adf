"""Parameter groups: one learning rate for everything, or a smaller one for pretrained layers.

Other groups are plugins', by the hook ``reid_parameter_groups``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from reidcore._validation import kind_of
from reidcore.errors import ConfigError
from reidcore.models.layers import as_layer_names, inside, require_layers, unwrap
from reidcore.plugins.advice import letting_in
from reidcore.plugins.manager import wrong_hook_answer

if TYPE_CHECKING:
    from reidcore.config.options import OptimOptions
    from reidcore.plugins import Plugins

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
        One group, or with ``staged_lr`` two, named ``base`` and ``new``.

    Raises:
        UnknownNameError: a name in ``new_layers`` is no layer of the model.
    """
    network = unwrap(model)
    if not staged_lr:
        return [{"params": list(network.parameters()), "name": "other", "lr": lr}]
    names = as_layer_names(new_layers)
    if not names:
        _log.warning("staged_lr without new_layers: every layer learns at lr * %g", base_lr_mult)
    require_layers(network, names)
    named = list(network.named_parameters())
    base = [parameter for name, parameter in named if not inside(name, names)]
    new = [parameter for name, parameter in named if inside(name, names)]
    return [
        {"params": base, "name": "base", "lr": lr * base_lr_mult},
        {"params": new, "name": "new", "lr": lr},
    ]


def staged_groups(model: nn.Module, options: OptimOptions) -> list[dict[str, Any]]:
    """Return the groups of ``train.staged_lr``; the core's own ``reid_parameter_groups``.

    Raises:
        ConfigError: there are rules besides, which no plugin has followed.
    """
    asked = {"train.groups": bool(options.groups), "train.layer_decay": options.layer_decay}
    for key in [key for key, given in asked.items() if given]:
        raise ConfigError(
            f"{key} is set, and no active plugin follows it",
            f"The bundled plugin 'standard' does. {letting_in()}",
        )
    staged = options.staged_lr, options.new_layers, options.base_lr_mult
    return parameter_groups(model, options.lr, *staged)


def planned_groups(
    model: nn.Module, options: OptimOptions, plugins: Plugins
) -> list[dict[str, Any]]:
    """Return the groups that plugins make of a model's parameters, each of them in one.

    Raises:
        PluginDefectError: a plugin gave other groups.
    """
    network, hook = unwrap(model), "reid_parameter_groups"
    answer = plugins.hook.reid_parameter_groups(model=network, options=options)
    wanted = "mappings whose 'params' hold each of the model's parameters once"
    try:
        groups = [{**group, "params": list(group["params"])} for group in answer]
    except Exception as error:  # whatever a foreign object raises
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", wanted) from error
    held = sorted(id(parameter) for group in groups for parameter in group["params"])
    if held != sorted(map(id, network.parameters())):
        raise wrong_hook_answer(plugins, hook, f"gave groups of {len(held)}", wanted)
    return groups


def parameters_in(optimizers: Iterable[Optimizer]) -> list[nn.Parameter]:
    """Return the parameters in all groups of optimizers."""
    groups = (group for optimizer in optimizers for group in optimizer.param_groups)
    return [parameter for group in groups for parameter in group["params"]]


def gradients_in(*optimizers: Optimizer) -> list[Tensor]:
    """Return the gradients that there are of the parameters in all groups of optimizers."""
    return [each.grad for each in parameters_in(optimizers) if each.grad is not None]
