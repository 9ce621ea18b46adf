"""A network's layers by their dotted names; what freezing and staged learning rates share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reidcore.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network inside any number of wrappers (DataParallel, DDP, torch.compile)."""
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    while True:
        if isinstance(model, nn.DataParallel | DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def as_layer_names(layers: str | Iterable[str]) -> list[str]:
    """Return the names as a list: one name, several, or none for an empty string."""
    names = [layers] if isinstance(layers, str) else list(layers)
    return [name for name in names if name]


def require_layers(model: nn.Module, names: Iterable[str]) -> None:
    """Refuse a name that is neither a layer nor a parameter of the network.

    Args:
        model: the bare network (see :func:`unwrapped`).
        names: dotted names, such as ``"classifier"`` or ``"backbone.fc"``.

    Raises:
        UnknownNameError: naming the nearest layers.
    """
    known = [name for name, _ in model.named_modules() if name]
    known += [name for name, _ in model.named_parameters()]
    for name in names:
        if name not in known:
            raise UnknownNameError(
                f"the model {type(model).__name__} has no layer named {name!r}",
                _suggestion(model, name, known),
            )


def inside(parameter: str, layers: Iterable[str]) -> bool:
    """Tell whether a parameter's dotted name lies in one of the layers, or is one of them."""
    return any(parameter == layer or parameter.startswith(f"{layer}.") for layer in layers)


def _suggestion(model: nn.Module, name: str, known: list[str]) -> str:
    deeper = [candidate for candidate in known if candidate.endswith(f".{name}")]
    if deeper:
        return f"Did you mean {' or '.join(map(repr, deeper[:3]))}?"
    children = ", ".join(child for child, _ in model.named_children())
    return did_you_mean(name, known) or f"Its layers are: {children}"
