"""The options that a component declares in its factory's signature."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import PydanticUserError, TypeAdapter

from reidcore.registry import Entry

# What the core hands to each kind of factory: how many leading arguments, and which by name.
_LEADING = {
    "models": 1,
    "datasets": 1,
    "losses": 1,
    "samplers": 3,
    "engines": 2,
    "transforms": 2,
    "optimizers": 3,
    "schedulers": 1,
    "protocols": 0,
    "configs": 0,
}
_SUPPLIED = {
    "models": {"num_classes", "loss", "pretrained", "use_gpu", "image_size"},
    "datasets": {"root", "split_id"},
    "losses": {"num_classes", "use_gpu"},
    "engines": {
        "datamanager",
        "model",
        "optimizer",
        "scheduler",
        "use_gpu",
        "plugins",
        "precision",
        "step",
    },
    "schedulers": {"stepsize", "gamma", "max_epoch"},
}


@dataclass(frozen=True)
class Option:
    """One option of a component.

    Args:
        name: the factory's parameter.
        annotation: the type it takes; ``Any`` where that is not known.
        default: its default; ``inspect.Parameter.empty`` if it must be given.
    """

    name: str
    annotation: Any
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    def read(self, value: Any) -> Any:
        """Return a configured value in the type that the factory expects (a tuple for a list).

        Raises:
            pydantic.ValidationError: the value is of another type.
        """
        adapter = _adapter(self.annotation)
        if adapter is None:
            return value
        return adapter.validate_json(json.dumps(value, default=str), strict=True)


def options_declared(entry: Entry) -> dict[str, Option]:
    """Return the options of a component by name; imports the component."""
    target = entry.load()
    own = {}
    for position, parameter in enumerate(entry.parameters().values()):
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        leading = position < _LEADING[entry.kind] and parameter.kind != parameter.KEYWORD_ONLY
        if named and not leading and parameter.name not in _SUPPLIED.get(entry.kind, ()):
            annotation = _annotation(target, parameter)
            own[parameter.name] = Option(parameter.name, annotation, parameter.default)
    return own


def takes_anything(entry: Entry) -> bool:
    """Tell whether the factory has ``**kwargs``, so that no key can be called unknown.

    Those of an engine are the core engine's own arguments, which no section holds.
    """
    if entry.kind == "engines":
        return False
    return any(p.kind is p.VAR_KEYWORD for p in entry.parameters().values())


def _annotation(target: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    if parameter.annotation is parameter.empty:
        return _type_of_default(parameter.default)
    function = target.__init__ if isinstance(target, type) else inspect.unwrap(target)  # type: ignore[misc]
    names = getattr(function, "__globals__", {})
    alone = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(alone, globalns=names)[parameter.name]
    except Exception:  # a type that exists for the type checker only
        return Any


def _type_of_default(default: Any) -> Any:
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return int | float
    return str if isinstance(default, str) else Any


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    try:
        return TypeAdapter(annotation)
    except PydanticUserError:  # no type that plain values could have
        return None
