"""What a network was built as, so that a checkpoint alone is enough to build it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from reidcore.models.layers import unwrap

_ATTRIBUTE = "_build_args"
_ORIGIN = "_origin"


def remember_build_args(model: nn.Module, arguments: Mapping[str, Any]) -> None:
    """Keep with a network the arguments of ``build_model``, if a file can hold them.

    Args:
        model: the network.
        arguments: ``name``, ``num_classes``, ``loss`` and, if they were given, ``options``,
            ``head``, ``image_size``, ``num_cameras`` and ``num_views``.
    """
    if _is_plain(arguments):
        unwrap(model).__dict__[_ATTRIBUTE] = dict(arguments)


def remember_origin(model: nn.Module, origin: str) -> None:
    """Keep with a network who brought it, for messages about what it gives."""
    unwrap(model).__dict__[_ORIGIN] = origin


def origin_of(model: nn.Module) -> str:
    """Return the network's name and its plugin's; its class if ``build_model`` did not build it."""
    network = unwrap(model)
    return str(network.__dict__.get(_ORIGIN, f"the model {type(network).__name__}"))


def build_args_of(model: nn.Module) -> dict[str, Any]:
    """Return what a network was built as, and ``feature_dim``; empty if ``build_model`` did not."""
    network = unwrap(model)
    arguments = dict(network.__dict__.get(_ATTRIBUTE, {}))
    feature_dim = getattr(network, "feature_dim", None)
    if arguments and isinstance(feature_dim, int):
        arguments["feature_dim"] = feature_dim
    return arguments


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
