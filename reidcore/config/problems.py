"""Mistakes in a configuration, gathered so that all of them are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from reidcore.config.origins import Layer, at, dotted
from reidcore.errors import ConfigError, did_you_mean

Place = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a section of keys",
    "model_type": "a section of keys",
    "model_attributes_type": "a section of keys",
    "none_required": "null",
}


@dataclass(frozen=True)
class Problem:
    """One mistake.

    Args:
        place: the path of the key.
        text: what is wrong and what to do.
    """

    place: Place
    text: str


def refuse(problems: Iterable[Problem], layer: Layer) -> None:
    """Raise one ``ConfigError`` that tells every problem and where its value was set, if any."""
    lines = list(dict.fromkeys(_line(problem, layer) for problem in problems))
    if len(lines) == 1:
        raise ConfigError(lines[0])
    if lines:
        listed = "".join(f"\n  {line}" for line in lines)
        raise ConfigError(f"the configuration has {len(lines)} mistakes:{listed}")


def from_validation(
    error: ValidationError,
    tree: Any,
    schema: type[BaseModel] | None,
    prefix: tuple[str, ...] = (),
) -> list[Problem]:
    """Turn pydantic's report on ``tree`` into problems, one for each key.

    Args:
        error: the report.
        tree: what was validated.
        schema: the model it was validated against, for near names.
        prefix: the path of ``tree`` within the configuration.
    """
    expected: dict[Place, list[str]] = {}
    problems = []
    for item in error.errors():
        place = tuple(item["loc"])
        if item["type"] == "extra_forbidden":
            siblings = keys_of(schema, place[:-1]) if schema else []
            problems.append(unknown_key((*prefix, *place), siblings))
        elif item["type"] == "missing" and isinstance(place[-1], str):
            problems.append(Problem((*prefix, *place), "a value is required"))
        else:
            expected.setdefault(_existing(tree, place), []).append(_expectation(item))
    for place, wanted in expected.items():
        known = " or ".join(dict.fromkeys(wanted))
        text = f"expected {known}, not {at(tree, place)!r}"
        problems.append(Problem((*prefix, *place), text))
    return problems


def unknown_key(place: Place, siblings: Iterable[str]) -> Problem:
    """Report a key that nothing knows, with the nearest name here or the same name elsewhere."""
    names = list(siblings)
    name = str(place[-1])
    elsewhere = [key for key in _core_keys() if key.rpartition(".")[2] == name]
    if elsewhere:
        hint = f"Did you mean {' or '.join(map(repr, elsewhere))}?"
    else:
        hint = did_you_mean(name, names) or (names and f"Known keys: {', '.join(names)}") or ""
    return Problem(place, f"unknown key. {hint}".strip())


def keys_of(schema: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Return the keys that a schema knows at a place."""
    for part in place:
        field = schema.model_fields.get(str(part))
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        schema = inner
    return list(schema.model_fields)


@cache
def _core_keys() -> tuple[str, ...]:
    from reidcore.config.schema import Config

    return tuple(_leaves(Config, ""))


def _leaves(schema: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in schema.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _existing(tree: Any, place: Place) -> Place:
    """Cut a path to the part that exists: pydantic appends the names of a union's members."""
    end = 0
    while end < len(place):
        try:
            at(tree, place[: end + 1])
        except (KeyError, IndexError, TypeError):
            break
        end += 1
    return place[:end]


def _expectation(item: Any) -> str:
    context = item.get("ctx") or {}
    if item["type"] == "literal_error":
        return str(context["expected"])
    if item["type"] == "greater_than_equal":
        return f"at least {context['ge']}"
    if item["type"] == "greater_than":
        return f"more than {context['gt']}"
    if item["type"] == "less_than":
        return f"less than {context['lt']}"
    if item["type"] == "missing":  # of a tuple's items
        return "a longer list"
    if item["type"] == "too_short":
        return f"at least {context['min_length']} items"
    return _EXPECTED.get(item["type"]) or f"something else ({item['msg']})"


def _line(problem: Problem, layer: Layer) -> str:
    origin = layer.origin(problem.place)
    return f"{dotted(problem.place)}: {problem.text}" + (f" ({origin})" if origin else "")
