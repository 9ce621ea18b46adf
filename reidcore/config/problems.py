"""Mistakes in a configuration, gathered so that all of them are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from reidcore._validation import Place, dotted, mistakes_in
from reidcore._wording import joined
from reidcore.config.layers import Layer
from reidcore.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class Problem:
    """One mistake.

    Args:
        place: the path of the key.
        text: what is wrong and what to do.
        component: the label of the one whose option it is, if it is a component's.
    """

    place: Place
    text: str
    component: str = ""


def refuse(problems: Iterable[Problem], layer: Layer) -> None:
    """Raise one ``ConfigError`` that tells every problem and where its value was set, if any."""
    # Components may share a section: what several say of a key is one mistake.
    sharers: dict[tuple[Place, str], list[str]] = {}
    for problem in problems:
        sharers.setdefault((problem.place, problem.text), []).append(problem.component)
    lines = [_line(place, text, labels, layer) for (place, text), labels in sharers.items()]
    if len(lines) == 1:
        raise ConfigError(lines[0])
    if lines:
        listed = "".join(f"\n  {line}" for line in lines)
        raise ConfigError(f"the configuration has {len(lines)} mistakes:{listed}")


def from_validation(
    error: ValidationError, tree: Any, schema: type[BaseModel] | None, prefix: tuple[str, ...] = ()
) -> list[Problem]:
    """Turn pydantic's report on ``tree`` into problems, one for each key.

    Args:
        error: the report.
        tree: what was validated.
        schema: the model it was validated against, for near names.
        prefix: the path of ``tree`` within the configuration.
    """
    problems = []
    for mistake in mistakes_in(tree, error):
        place = (*prefix, *mistake.place)
        if mistake.kind == "unknown":
            problems.append(unknown_key(place, keys_of(schema, mistake.place[:-1])))
        elif mistake.kind == "missing":
            problems.append(Problem(place, "a value is required"))
        else:
            problems.append(Problem(place, mistake.text))
    return problems


def unknown_key(place: Place, siblings: Iterable[str]) -> Problem:
    """Report a key that nothing knows, with the nearest name here or the same name elsewhere."""
    names = list(siblings)
    name = str(place[-1])
    elsewhere = [key for key in core_keys() if key.rpartition(".")[2] == name]
    if elsewhere:
        hint = f"Did you mean {' or '.join(map(repr, elsewhere))}?"
    else:
        hint = did_you_mean(name, names) or (names and f"Known keys: {', '.join(names)}") or ""
    return Problem(place, f"unknown key. {hint}".strip())


def keys_of(schema: type[BaseModel] | None, place: Sequence[str | int]) -> list[str]:
    """Return the keys that a schema knows at a place."""
    inner: Any = schema
    for part in place:
        if get_origin(inner) is dict:
            inner = get_args(inner)[1]
        else:
            field = inner.model_fields.get(str(part)) if _is_section(inner) else None
            inner = field.annotation if field is not None else None
            if get_origin(inner) is not dict:  # but perhaps X | None
                inner = next(filter(_is_section, get_args(inner)), inner)
    return list(inner.model_fields) if _is_section(inner) else []


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@cache
def core_keys() -> dict[str, Any]:
    """Return the core's keys, dotted, with the types of their values."""
    from reidcore.config.schema import Config

    return dict(_leaves(Config, ""))


def _leaves(schema: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in schema.model_fields.items():
        inner: Any = field.annotation
        if _is_section(inner):
            yield from _leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _line(place: Place, text: str, components: Sequence[str], layer: Layer) -> str:
    origin, labels = layer.origin(place), list(dict.fromkeys(filter(None, components)))
    whose = f", for {joined(labels)}" if labels else ""
    return f"{dotted(place)}: {text}{whose}" + (f" ({origin})" if origin else "")
