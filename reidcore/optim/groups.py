"""Parameter groups: rates and weight decays for kinds of parameters, layers, and depths."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any

from torch import nn

from reidcore.config.options import GroupRule
from reidcore.errors import UnknownNameError, UserError, did_you_mean
from reidcore.models.layers import as_layer_names, inside, require_layers, unwrap

_log = logging.getLogger(__name__)

KINDS = ("bias", "norm", "new_layers")
"""Groups of parameters that have a name of their own; others are named by patterns."""

_NORMS = (
    nn.modules.batchnorm._NormBase,  # of batches and of instances
    nn.GroupNorm,
    nn.LayerNorm,
)
_NORM_NAME = re.compile(r"norm(act)?(\dd)?$", re.IGNORECASE)


@dataclass(frozen=True)
class _Treatment:
    """How some parameters learn: what their groups differ by.

    Attributes:
        lr_mult: factor on the learning rate.
        weight_decay: their own; None for the optimizer's.
        names: the rules that say so.
    """

    lr_mult: float = 1.0
    weight_decay: float | None = None
    names: tuple[str, ...] = ()

    def under(self, name: str, lr_mult: float, weight_decay: float | None = None) -> _Treatment:
        """Return it under one more rule: factors are multiplied, the last weight decay counts."""
        decay = self.weight_decay if weight_decay is None else weight_decay
        return _Treatment(self.lr_mult * lr_mult, decay, (*self.names, name))

    def as_group(self, lr: float) -> dict[str, Any]:
        """Return the group's settings."""
        group: dict[str, Any] = {"name": "+".join(self.names) or "other", "lr": lr * self.lr_mult}
        return group if self.weight_decay is None else group | {"weight_decay": self.weight_decay}


def parameter_groups(
    model: nn.Module,
    lr: float,
    staged_lr: bool = False,
    new_layers: str | Iterable[str] = "",
    base_lr_mult: float = 0.1,
    *,
    rules: Mapping[str, GroupRule | Mapping[str, float]] | None = None,
    layer_decay: float | None = None,
) -> list[dict[str, Any]]:
    """Split a model's parameters into the groups that an optimizer takes.

    Frozen parameters are kept, so that layers opened later in a run are trained. Each parameter is
    in one group; what ``staged_lr``, rules and depth say of it is multiplied.

    Args:
        model: the network; a data-parallel wrapper is looked through.
        lr: learning rate of the new layers.
        staged_lr: whether the base (pretrained) layers get ``lr * base_lr_mult``.
        new_layers: dotted names of the layers that start from random weights.
        base_lr_mult: factor on the learning rate of all other parameters.
        rules: ``bias``, ``norm``, ``new_layers``, or a pattern such as ``backbone.*`` of the dotted
            names of layers or parameters -> the factor on their rate, ``lr_mult``, and their
            ``weight_decay``. Of several weight decays the last one counts.
        layer_decay: factor on the rate from each block of the network to the one before it.

    Returns:
        A group for each way to learn, with a ``name``: one, or with ``staged_lr`` two, ``base`` and
        ``new``, or more with rules or a layer decay. The one that learns at ``lr`` comes last.

    Raises:
        UnknownNameError: a name in ``new_layers`` is no layer of the model, or a rule is for none
            of its parameters.
        UserError: the model does not say how deep its layers are.
    """
    network = unwrap(model)
    named = dict(network.named_parameters())
    checked = {name: GroupRule.checked(**dict(rule)) for name, rule in (rules or {}).items()}
    treatments = dict.fromkeys(named, _Treatment())
    groups: dict[_Treatment, list[nn.Parameter]] = {}
    for name, mult, decay, parameters in _rules(
        network, staged_lr, as_layer_names(new_layers), base_lr_mult, checked, layer_decay
    ):
        for parameter in parameters:
            treatments[parameter] = treatments[parameter].under(name, mult, decay)
        if staged_lr and not rules and layer_decay is None:
            groups[_Treatment().under(name, mult)] = []  # as in Torchreid, though it be empty
    for name, treatment in treatments.items():
        groups.setdefault(treatment, []).append(named[name])
    ordered = sorted(groups, key=lambda each: (each.lr_mult == 1, each.weight_decay is None))
    return [{"params": groups[each], **each.as_group(lr)} for each in ordered]


_Rule = tuple[str, float, float | None, Iterable[str]]
"""A name, a factor on the rate, a weight decay, and the names of the parameters."""


def _rules(
    network: nn.Module,
    staged_lr: bool,
    new_layers: list[str],
    base_lr_mult: float,
    rules: Mapping[str, GroupRule],
    layer_decay: float | None,
) -> Iterator[_Rule]:
    """Yield every rule that there is, in the order in which they act."""
    names = [name for name, _ in network.named_parameters()]
    if staged_lr:
        if not new_layers:
            _log.warning(
                "staged_lr without new_layers: every layer learns at lr * %g", base_lr_mult
            )
        require_layers(network, new_layers)
        new = [name for name in names if inside(name, new_layers)]
        yield "base", base_lr_mult, None, set(names).difference(new)
        yield "new", 1.0, None, new
    for kind, rule in rules.items():
        yield kind, rule.lr_mult, rule.weight_decay, _members(network, names, kind, new_layers)
    if layer_decay is not None:
        depths = layer_depths(network)
        above = max(depths.values()) + 1
        for depth in sorted(set(depths.values())):
            at_depth = [name for name in names if depths.get(name) == depth]
            yield f"layer_{depth}", layer_decay ** (above - depth), None, at_depth


def layer_depths(network: nn.Module) -> Mapping[str, int]:
    """Return how deep a network's parameters lie: 0 is nearest to the images.

    The network says so by a method ``layer_depths``. What that leaves out, such as a classifier,
    lies above all others.

    Raises:
        UserError: if it says nothing.
    """
    told: Mapping[str, int] = getattr(network, "layer_depths", dict)()
    if not told:
        raise UserError(
            f"train.layer_decay: {type(network).__name__} does not say how deep its layers are",
            "Give it a method layer_depths() that returns each parameter's depth by name, take a "
            "model of timm (timm/NAME), or use train.groups.",
        )
    return told


def _members(
    network: nn.Module, names: Sequence[str], kind: str, new_layers: list[str]
) -> list[str]:
    """Return the names of the parameters that a rule is for."""
    if kind == "norm":
        members = set(_of_norms(network))
        found = [name for name in names if name in members]
    elif kind == "bias":
        found = [name for name in names if re.search(r"(^|[._])bias$", name)]
    elif kind == "new_layers":
        require_layers(network, new_layers)
        found = [name for name in names if inside(name, new_layers)]
    else:
        found = [
            name
            for name in names
            if any(fnmatchcase(above, kind) for above in accumulate(name.split("."), _joined))
        ]
    if not found:
        known = [*KINDS, *(name for name, _ in network.named_modules() if name), *names]
        raise UnknownNameError(
            f"train.groups: no parameter of {type(network).__name__} is in {kind!r}",
            did_you_mean(kind.rstrip(".*"), known)
            or f"Name {', '.join(KINDS)}, a layer, or a pattern of layers such as 'layer*.*'.",
        )
    return found


def _of_norms(network: nn.Module) -> Iterator[str]:
    for prefix, module in network.named_modules():
        if isinstance(module, _NORMS) or _NORM_NAME.search(type(module).__name__):
            yield from (name for name, _ in module.named_parameters(prefix, recurse=False))


def _joined(above: str, name: str) -> str:
    return f"{above}.{name}"
