"""A network's layers: inside its wrappers, by their dotted names, frozen, opened and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from reidcore.errors import UnknownNameError, did_you_mean

_KEY_PREFIXES = ("module.", "_orig_mod.")


class Wrapper(nn.Module):
    """Base of modules that call another one, ``module``, and have no layers of their own."""

    module: nn.Module


def unwrap(model: nn.Module) -> nn.Module:
    """Return the network inside any number of wrappers (DataParallel, DDP, torch.compile, EMA)."""
    *_, network = unwrapping(model)
    return network


def unwrapping(model: nn.Module) -> Iterator[nn.Module]:
    """Yield a model, what it wraps, what that wraps, down to the network itself."""
    yield model
    if isinstance(model, Wrapper | nn.DataParallel | DistributedDataParallel | AveragedModel):
        yield from unwrapping(model.module)
    elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
        yield from unwrapping(inner)


def kind_fault(given: Tensor, own: Tensor) -> str | None:
    """Say why a saved entry cannot stand for a model's own; None if it can.

    Real numbers of any width are cast to one another; complex and quantised ones are other numbers.
    """
    is_counted = not own.is_floating_point() and not own.is_complex()
    is_same = given.is_complex() == own.is_complex()
    if is_same and (is_counted or own.is_complex() or given.is_floating_point()):
        return None
    return f"of {given.dtype}, the model's is {own.dtype}".replace("torch.", "")


def bare_key(key: str) -> str:
    """Return a state-dict key without the prefixes that wrappers put before it."""
    while key.startswith(_KEY_PREFIXES):
        key = key.partition(".")[2]
    return key


def as_layer_names(layers: str | Iterable[str]) -> list[str]:
    """Return the names as a list: one name, several, or none for an empty string."""
    names = [layers] if isinstance(layers, str) else list(layers)
    return [name for name in names if name]


def require_layers(model: nn.Module, names: Iterable[str]) -> None:
    """Refuse a name that is neither a layer nor a parameter of the network.

    Args:
        model: the network, wrapped or not.
        names: dotted names, such as ``"classifier"`` or ``"backbone.fc"``.

    Raises:
        UnknownNameError: naming the nearest layers.
    """
    network = unwrap(model)
    known = [name for name, _ in network.named_modules() if name]
    known += [name for name, _ in network.named_parameters()]
    for name in names:
        if name not in known:
            raise UnknownNameError(
                f"the model {type(network).__name__} has no layer named {name!r}",
                _suggestion(network, name, known),
            )


def inside(parameter: str, layers: Iterable[str]) -> bool:
    """Tell whether a parameter's dotted name lies in one of the layers, or is one of them."""
    return any(parameter == layer or parameter.startswith(f"{layer}.") for layer in layers)


def open_all_layers(model: nn.Module) -> None:
    """Put the whole model in training mode, with every parameter trainable."""
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(True)


def open_specified_layers(model: nn.Module, open_layers: str | Iterable[str]) -> None:
    """Train some layers and freeze the others, whose batch statistics are frozen as well.

    The model's own ``training`` flag stays as it is, since its outputs depend on it.

    Args:
        model: the network, wrapped or not.
        open_layers: dotted names of the layers to train, such as ``"classifier"``.

    Raises:
        UnknownNameError: the model has no such layer; the message names the nearest.
    """
    names = as_layer_names(open_layers)
    freeze_others(model, names)
    for name, parameter in unwrap(model).named_parameters():
        if inside(name, names):
            parameter.requires_grad_(True)


def freeze_others(model: nn.Module, layers: Sequence[str]) -> list[nn.Parameter]:
    """Freeze all but some layers, as `open_specified_layers` does, and open none.

    Args:
        model: the network, wrapped or not.
        layers: dotted names of the layers that stay as they are.

    Returns:
        The parameters that were not frozen before.

    Raises:
        UnknownNameError: the model has no such layer; the message names the nearest.
    """
    network = unwrap(model)
    require_layers(network, layers)
    for name, layer in network.named_modules():
        if name:
            layer.training = inside(name, layers)
    frozen = [
        parameter
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and not inside(name, layers)
    ]
    for parameter in frozen:
        parameter.requires_grad_(False)
    return frozen


def count_num_param(model: nn.Module) -> int:
    """Count the parameters used at test time: all but those of ``model.classifier``."""
    network = unwrap(model)
    total = sum(parameter.numel() for parameter in network.parameters())
    classifier = getattr(network, "classifier", None)
    if isinstance(classifier, nn.Module):
        total -= sum(parameter.numel() for parameter in classifier.parameters())
    return total


def _suggestion(network: nn.Module, name: str, known: list[str]) -> str:
    deeper = [candidate for candidate in known if candidate.endswith(f".{name}")]
    if deeper:
        return f"Did you mean {' or '.join(map(repr, deeper[:3]))}?"
    children = ", ".join(child for child, _ in network.named_children())
    return did_you_mean(name, known) or f"Its layers are: {children}"
