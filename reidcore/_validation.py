"""Pydantic's reports in plain words: which key is wrong, and what was expected there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import ValidationError

Place = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_too_short": "text that is not empty",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a section of keys",
    "model_type": "a section of keys",
    "model_attributes_type": "a section of keys",
    "none_required": "null",
    "missing": "a longer list",  # of a tuple's items
}


@dataclass(frozen=True)
class Mistake:
    """One mistake in a tree of values.

    Attributes:
        place: the path of the key.
        kind: ``unknown`` key, ``missing`` key, or a ``value`` of the wrong type or range.
        expected: what the value should have been; empty for an unknown or a missing key.
        found: the value.
    """

    place: Place
    kind: Literal["unknown", "missing", "value"]
    expected: str = ""
    found: Any = None

    @property
    def text(self) -> str:
        """What was expected and what was found instead."""
        return f"expected {self.expected}, not {shortened(repr(self.found))}"


def mistakes_in(tree: Any, error: ValidationError) -> Iterator[Mistake]:
    """Yield each key that pydantic refused, once.

    Args:
        tree: what was validated.
        error: the report.
    """
    expected: dict[Place, list[str]] = {}
    for item in error.errors():
        place = tuple(item["loc"])
        if item["type"] == "extra_forbidden":
            yield Mistake(place, "unknown")
        elif item["type"] == "missing" and isinstance(place[-1], str):
            yield Mistake(place, "missing")
        else:
            expected.setdefault(_existing(tree, place), []).append(_expectation(item))
    for place, wanted in expected.items():
        yield Mistake(place, "value", " or ".join(dict.fromkeys(wanted)), at(tree, place))


def at(tree: Any, path: Place) -> Any:
    """Return the value at a path; raises ``KeyError``, ``IndexError`` or ``TypeError`` if none."""
    for part in path:
        tree = tree[part]
    return tree


def dotted(path: Place) -> str:
    """Spell a path as users do: ``test.ranks[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def kind_of(answer: Any) -> str:
    """Return what a value is, for messages: ``a tensor (8, 3)``; asks nothing of the value."""
    name = type(answer).__name__
    if name in ("Tensor", "ndarray"):
        return f"a {name.lower()} {tuple(answer.shape)}"
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    return "None" if answer is None else f"{article} {name}"


def has_methods(obj: Any, *names: str) -> bool:
    """Tell whether an object has methods of these names, whatever asking for them raises."""
    try:
        return all(callable(getattr(obj, name, None)) for name in names)
    except Exception:
        return False


def shortened(text: str, most: int = 200) -> str:
    """Return a text for a message: whole if it is short, else its beginning."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


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


def _expectation(item: Mapping[str, Any]) -> str:
    context = item.get("ctx") or {}
    match item["type"]:
        case "literal_error":
            return str(context["expected"])
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "greater_than":
            return f"more than {context['gt']}"
        case "less_than":
            return f"less than {context['lt']}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "too_short":
            return f"at least {context['min_length']} items"
        case "too_long":
            return f"at most {context['max_length']} items"
        case "is_instance_of":
            return f"a {context['class']}"
        case "wanted":  # of our own validators
            return str(item["msg"])
    return _EXPECTED.get(item["type"]) or f"something else ({item['msg']})"
