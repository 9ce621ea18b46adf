"""Rules of parameter groups: rates and weight decays for kinds of parameters, layers, depths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from torch import nn

from reidcore.errors import UnknownNameError, UserError, did_you_mean
from reidcore.models import require_layers
from reidcore.optim import parameter_groups

if TYPE_CHECKING:
    from reidcore.config import OptimOptions

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
        lr: their learning rate.
        weight_decay: their own; None for the optimizer's.
        names: the rules that say so.
    """

    lr: float
    weight_decay: float | None = None
    names: tuple[str, ...] = ()

    def under(self, rule: _Rule) -> _Treatment:
        """Return it under one more rule: factors are multiplied, the last weight decay counts."""
        decay = self.weight_decay if rule.weight_decay is None else rule.weight_decay
        return _Treatment(self.lr * rule.lr_mult, decay, (*self.names, rule.name))

    def as_group(self, params: list[nn.Parameter]) -> dict[str, Any]:
        """Return it as an optimizer takes it, with its parameters."""
        name = "+".join(self.names) or "other"
        group: dict[str, Any] = {"params": params, "name": name, "lr": self.lr}
        return group if self.weight_decay is None else group | {"weight_decay": self.weight_decay}


@dataclass(frozen=True)
class _Rule:
    """What is said of some parameters.

    Attributes:
        name: what the rule is called in the names of groups.
        members: the names of the parameters.
        lr_mult: factor on their rate.
        weight_decay: their own, if not None.
    """

    name: str
    members: Iterable[str]
    lr_mult: float
    weight_decay: float | None = None


def ruled_groups(network: nn.Module, options: OptimOptions) -> list[dict[str, Any]]:
    """Split a network's parameters by the rules ``train.groups`` and by ``train.layer_decay``.

    Each parameter is in one group; what ``staged_lr``, rules and depth say of it is multiplied.

    Args:
        network: whose parameters they are, frozen ones included.
        options: the rates, and the rules: ``bias``, ``norm``, ``new_layers`` or a pattern such as
            ``backbone.*`` of the dotted names of layers or parameters -> ``lr_mult`` and
            ``weight_decay``. Of several weight decays the last one counts.

    Returns:
        A group for each way to learn, named after its rules. The one that learns at ``lr`` comes
        last.

    Raises:
        UnknownNameError: a name in ``new_layers`` is no layer of the network, or a rule is for none
            of its parameters.
        UserError: the network does not say how deep its layers are.
    """
    staged = parameter_groups(
        network, options.lr, options.staged_lr, options.new_layers, options.base_lr_mult
    )
    first = {
        parameter: _Treatment(group["lr"], names=(group["name"],) if options.staged_lr else ())
        for group in staged
        for parameter in group["params"]
    }
    named = dict(network.named_parameters())
    treatments = {name: first[parameter] for name, parameter in named.items()}
    for rule in _rules(network, options):
        for name in rule.members:
            treatments[name] = treatments[name].under(rule)
    groups: dict[_Treatment, list[nn.Parameter]] = {}
    for name, treatment in treatments.items():
        groups.setdefault(treatment, []).append(named[name])
    ordered = sorted(groups, key=lambda each: (each.lr == options.lr, each.weight_decay is None))
    return [each.as_group(groups[each]) for each in ordered]


def _rules(network: nn.Module, options: OptimOptions) -> Iterator[_Rule]:
    """Yield every rule that there is, in the order in which they act."""
    for name, rule in options.groups.items():
        members = _members(network, name, options.new_layers)
        yield _Rule(name, members, rule.lr_mult, rule.weight_decay)
    if options.layer_decay is not None:
        depths = _layer_depths(network)
        above = max(depths.values()) + 1
        for depth in sorted(set(depths.values())):
            members = [name for name, _ in network.named_parameters() if depths.get(name) == depth]
            yield _Rule(f"layer_{depth}", members, options.layer_decay ** (above - depth))


def _layer_depths(network: nn.Module) -> Mapping[str, int]:
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


def _members(network: nn.Module, kind: str, new_layers: Sequence[str]) -> list[str]:
    """Return the names of the parameters that a rule is for."""
    names = [name for name, _ in network.named_parameters()]
    if kind == "norm":
        members = set(_of_norms(network))
        found = [name for name in names if name in members]
    elif kind == "bias":
        found = [name for name in names if re.search(r"(^|[._])bias$", name)]
    elif kind == "new_layers":
        require_layers(network, new_layers)
        found = [name for name in names if not _places(name).isdisjoint(new_layers)]
    else:
        found = [name for name in names if any(fnmatchcase(at, kind) for at in _places(name))]
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


def _places(name: str) -> set[str]:
    """Return the dotted names of a parameter and of the layers that it lies in."""
    return set(accumulate(name.split("."), "{}.{}".format))
