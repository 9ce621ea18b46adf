"""The one reader of factories: which options a component takes, and of which types.

A factory's parameters are its options, except those that the core fills itself; ``SUPPLIED`` says
for each kind which these are. Configuration, command line and Python all read options by the model
that is made here, so that they agree on what a component takes.
"""

from __future__ import annotations

import inspect
import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from reidcore.registry.entry import Entry


@dataclass(frozen=True)
class Supplied:
    """What the core hands to the factories of a kind, none of which is an option.

    Attributes:
        first: arguments that every factory gets; by position where it calls them otherwise.
        named: arguments that a factory gets where it has a parameter of that name.
    """

    first: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.named.union(self.first)


SUPPLIED: Mapping[str, Supplied] = {
    "models": Supplied(
        named=frozenset(
            {
                "num_classes",
                "loss",
                "pretrained",
                "use_gpu",
                "image_size",
                "num_cameras",
                "num_views",
            }
        )
    ),
    "poolings": Supplied(named=frozenset({"channels"})),
    "classifiers": Supplied(("feature_dim", "num_classes"), frozenset({"bias"})),
    "datasets": Supplied(
        ("root",),
        frozenset(
            {
                "split_id",
                "mode",
                "transform",
                "k_tfm",
                "combineall",
                "seq_len",
                "sample_method",
                "verbose",
            }
        ),
    ),
    "losses": Supplied(("num_classes",), frozenset({"use_gpu", "feature_dim", "train_table"})),
    "samplers": Supplied(("table", "batch_size", "seed")),
    "engines": Supplied(
        ("datamanager", "model", "optimizer"),
        frozenset({"scheduler", "use_gpu", "plugins", "precision", "step", "terms", "build_state"}),
    ),
    "transforms": Supplied(("height", "width")),
    "optimizers": Supplied(("groups", "lr", "weight_decay")),
    "schedulers": Supplied(
        ("optimizer",), frozenset({"stepsize", "gamma", "max_epoch", "steps_per_epoch"})
    ),
}
"""What the core fills, for each kind; a kind that is not listed gets nothing."""


def supplied_to(entry: Entry) -> Supplied:
    """Return what the core hands to components of this one's kind."""
    return SUPPLIED.get(entry.kind, Supplied())


def takes_first_by_position(entry: Entry) -> bool:
    """Tell whether the factory has names of its own for the arguments that every factory gets."""
    parameters = entry.parameters()
    positional = [p for p in parameters.values() if p.kind is p.POSITIONAL_ONLY]
    by_name = all(name in parameters for name in supplied_to(entry).first)
    return bool(positional) or (not by_name and any(map(_is_positional, parameters.values())))


def declared_options(entry: Entry) -> dict[str, inspect.Parameter]:
    """Return the parameters that are options of a component, by name; imports the component."""
    supplied = supplied_to(entry)
    parameters = list(entry.parameters().values())
    if takes_first_by_position(entry):
        parameters = parameters[len(supplied.first) :]
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p for p in parameters if p.kind in kinds and p.name not in supplied.names}


def spellings(entry: Entry) -> dict[str, str]:
    """Return every spelling of a component's options -> the option's real name."""
    real = {name: name for name in declared_options(entry)}
    return real | {other: name for other, name in entry.options.items() if name in real}


def options_hint(names: Iterable[str]) -> str:
    """Return the sentence that lists options, for messages."""
    listed = ", ".join(names)
    return f"Its options are: {listed}." if listed else "It has no options."


def takes_anything(entry: Entry) -> bool:
    """Tell whether the factory has ``**kwargs``, so that no key can be called unknown.

    Those of an engine are the core engine's own arguments, which no section holds.
    """
    return entry.kind != "engines" and has_kwargs(entry)


def has_kwargs(entry: Entry) -> bool:
    """Tell whether the factory has ``**kwargs``."""
    return any(p.kind is p.VAR_KEYWORD for p in entry.parameters().values())


def options_model(entry: Entry) -> type[BaseModel]:
    """Make the model that validates a component's options; imports the component.

    A field is an option under its real name, with its other spellings as aliases. Values are plain
    ones, as YAML has them (a list stands for a tuple), or Python objects of the declared type.
    """
    target = entry.load()
    fields: dict[str, Any] = {}
    if takes_anything(entry):
        fields = dict.fromkeys(sorted(supplied_to(entry).names), (_Refused, None))
    for name, parameter in declared_options(entry).items():
        others = [other for other, real in entry.options.items() if real == name]
        default = ... if parameter.default is parameter.empty else parameter.default
        field = Field(default, validation_alias=AliasChoices(name, *others))
        fields[name] = (_readable(_annotation(target, parameter)), field)
    base = _AnyOptions if takes_anything(entry) else _KnownOptions
    with warnings.catch_warnings():  # an option may bear the name of a method of pydantic's
        warnings.simplefilter("ignore", UserWarning)
        return create_model(entry.qualified_name, __base__=base, **fields)


def _refuse(value: Any) -> Any:
    raise PydanticCustomError("extra_forbidden", "The core fills this argument itself")


def _finite(value: Any) -> Any:
    if any(not math.isfinite(number) for number in numbers_in(value)):
        raise PydanticCustomError("finite_number", "not finite")
    return value


def numbers_in(value: Any) -> Iterator[float]:
    """Yield the floating-point numbers in plain values."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from numbers_in(inner)


_Refused = Annotated[Any, AfterValidator(_refuse)]
_Finite = Annotated[Any, AfterValidator(_finite)]


class _KnownOptions(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )


class _AnyOptions(_KnownOptions):
    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, _Finite]


def _is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _readable(annotation: Any) -> Any:
    """Return the type with a reader of plain values; anything where those cannot have it."""
    try:
        adapter = _adapter(annotation)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return _Finite
    if annotation is Any:
        return _Finite

    def read(value: Any, as_object: ValidatorFunctionWrapHandler) -> Any:
        try:
            plain = json.dumps(value, default=_number)
        except (TypeError, ValueError):
            return as_object(value)
        return adapter.validate_json(plain, strict=True)

    return Annotated[annotation, WrapValidator(read)]


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False))
    except PydanticUserError:  # a model, whose own configuration counts
        return TypeAdapter(annotation)


def _number(value: Any) -> Any:
    """Return the number that a scalar of NumPy's or torch's holds."""
    if getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain value")


def _annotation(target: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    if parameter.annotation is parameter.empty:
        return _type_of_default(parameter.default)
    made_by = getattr(target, "func", target)  # of a functools.partial
    function = made_by.__init__ if isinstance(made_by, type) else inspect.unwrap(made_by)  # type: ignore[misc]
    names = getattr(function, "__globals__", {})
    alone = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(alone, globalns=names, include_extras=True)[parameter.name]
    except Exception:  # a type that exists for the type checker only
        return Any


def _type_of_default(default: Any) -> Any:
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return int | float
    return str if isinstance(default, str) else Any
