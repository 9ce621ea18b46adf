"""Pydantic's reports in plain words: which key is wrong, and what was expected there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reidcore.errors import counted, quoted

if TYPE_CHECKING:
    from pydantic import ValidationError

Place = tuple[str | int, ...]

# What pydantic's errors mean to who wrote a value; ``{...}`` is of the error's context.
_KINDS = {
    "a whole number": "int_type int_parsing int_from_float",
    "a whole number of fewer digits": "int_parsing_size",
    "a number": "float_type float_parsing",
    "a complex number": "complex_type complex_str_parsing",
    "a finite number": "finite_number",
    "at least {ge}": "greater_than_equal",
    "more than {gt}": "greater_than",
    "less than {lt}": "less_than",
    "at most {le}": "less_than_equal",
    "true or false": "bool_type bool_parsing",
    "text": "string_type string_sub_type string_unicode bytes_type",
    "text like the pattern {pattern!r}": "string_pattern_mismatch",
    "a path": "path_type",
    "a list": "list_type tuple_type set_type frozen_set_type iterable_type sequence_str",
    "a list of single values": "set_item_not_hashable",
    "a longer list": "missing",  # of a tuple's items
    "a list or a section of keys": "named_tuple_type",
    "a section of keys": "dict_type mapping_type "
    "model_type model_attributes_type dataclass_type dataclass_exact_type",
    "a section whose keys are text": "invalid_key",
    "a section with the key {discriminator}": "union_tag_not_found",
    "a section whose key {discriminator} is {expected_tags}": "union_tag_invalid",
    "null": "none_required",
    "a function or a class": "callable_type",
    "a {class}": "is_instance_of",
    "a class derived from {class}": "is_subclass_of",
    "{expected}": "literal_error enum",
    "a value that does not contain itself": "recursion_loop",
    "the value it was made with: it is fixed": "frozen_field frozen_instance",
}
_EXPECTED = {kind: words for words, kinds in _KINDS.items() for kind in kinds.split()}
_SIZED = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("text of at least", "min_length", "character"),
    "string_too_long": ("text of at most", "max_length", "character"),
    "bytes_too_short": ("at least", "min_length", "byte"),
    "bytes_too_long": ("at most", "max_length", "byte"),
}
# How pydantic begins to say what it expected, where it is not said above.
_PREFIX = "Input should be "


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
        return f"expected {self.expected}, not {quoted(self.found)}"


def wanted(expected: str, inside: Place = ()) -> Exception:
    """Return what a validator raises who expected something else.

    Args:
        expected: what, as in ``a number of at most 5``.
        inside: the path of the value within what was validated.
    """
    from pydantic_core import PydanticCustomError

    return PydanticCustomError("wanted", "{expected}", {"expected": expected, "inside": inside})


def mistakes_in(tree: Any, error: ValidationError) -> Iterator[Mistake]:
    """Yield each key that pydantic refused, once.

    Args:
        tree: what was validated.
        error: the report.
    """
    expected: dict[Place, list[str]] = {}
    for item in error.errors():
        place = tuple(item["loc"])
        if inside := item.get("ctx", {}).get("inside"):
            place = (*_existing(tree, place), *inside)
        if item["type"] in ("extra_forbidden", "no_such_attribute"):
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
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "wanted":  # of our own validators
        return str(item["msg"])
    if kind == "string_too_short" and context.get("min_length", 1) == 1:
        return "text that is not empty"
    if kind in _SIZED:
        how, key, what = _SIZED[kind]
        return f"{how} {counted(context[key], what)}"
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**context)
    if "error" in context:  # a validator raised it, which says what is wrong
        return f"another value ({context['error']})"
    said = str(item["msg"])
    return said.removeprefix(_PREFIX) if said.startswith(_PREFIX) else f"another value ({said})"
