"""timm's optimizers, by timm's names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import timm.optim
from torch.optim import Optimizer

from reidcore.errors import ConfigError, UnknownNameError, UserError, did_you_mean

_timm: Any = timm.optim  # which names these functions, yet not among what it exports

_GIVEN = ("groups", "lr", "weight_decay")
"""What every factory of optimizers is given; the first is what timm calls ``params``."""

_MOMENTUM = 0.9
"""What timm's own factory gives to optimizers with a momentum; some cannot do without."""


def members() -> list[str]:
    """Return the names of timm's optimizers, also of those that need further packages."""
    names: list[str] = _timm.list_optimizers()
    return names


def factory_of(name: str) -> Callable[..., Optimizer]:
    """Return what builds the optimizer of that name; its options are those of timm's class.

    Raises:
        UnknownNameError: if timm has none; names the nearest ones.
        UserError: if it needs another package, or more than gradients.
    """
    if name not in members():
        raise UnknownNameError(
            f"timm {timm.__version__} has no optimizer named {name!r}",
            f"{did_you_mean(name, members())} See: reidcore ls optimizers timm/".strip(),
        )
    try:
        about = _timm.get_optimizer_info(name)
        made_by: Callable[..., Optimizer] = _timm.get_optimizer_class(name)
    except (AssertionError, ImportError) as error:
        raise UserError(f"timm's optimizer {name} cannot be used: {error}") from error
    if about.second_order:
        raise UserError(
            f"timm's optimizer {name} needs second derivatives, which the step does not compute",
            "Choose another: reidcore ls optimizers timm/",
        )
    if about.has_momentum:
        made_by = partial(made_by, momentum=_MOMENTUM)

    def build(groups: Any, lr: float, weight_decay: float, **options: Any) -> Optimizer:
        try:
            return made_by(groups, lr=lr, weight_decay=weight_decay, **options)
        except ValueError as error:  # its own check of the settings' ranges
            raise ConfigError(f"timm/{name} refuses its settings: {error}") from error

    # The registry reads options from the signature.
    build.__signature__ = _signature(made_by)  # type: ignore[attr-defined]
    build.__doc__ = about.description
    return build


def _signature(made_by: Callable[..., Optimizer]) -> inspect.Signature:
    given = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in _GIVEN]
    options = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(made_by).parameters.items()
        if name not in ("params", *_GIVEN) and parameter.kind is not parameter.VAR_KEYWORD
    ]
    return inspect.Signature([*given, *options])
