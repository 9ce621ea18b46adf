"""Pydantic's reports in plain words: which key is wrong, and what was expected there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reidcore._wording import counted, quoted

if TYPE_CHECKING:
    from pydantic import ValidationError

Place = tuple[str | int, ...]

# What pydantic's errors mean to who wrote a value; ``{...}`` is of the error's context.
_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "complex_type": "a complex number",
    "complex_str_parsing": "a complex number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "fraction_type": "a number",
    "fraction_parsing": "a number",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_sub_type": "text",
    "string_unicode": "text",
    "string_not_ascii": "text of ASCII characters",
    "string_pattern_mismatch": "text like the pattern {pattern!r}",
    "bytes_type": "text",
    "path_type": "a path",
    "list_type": "a list",
    "deque_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "iterable_type": "a list",
    "sequence_str": "a list",
    "set_item_not_hashable": "a list of single values",
    "arguments_type": "a list or a section of keys",
    "dict_type": "a section of keys",
    "frozen_dict_type": "a section of keys",
    "ordered_dict_type": "a section of keys",
    "counter_type": "a section of keys",
    "mapping_type": "a section of keys",
    "model_type": "a section of keys",
    "model_attributes_type": "a section of keys",
    "dataclass_type": "a section of keys",
    "dataclass_exact_type": "a section of keys",
    "named_tuple_type": "a list or a section of keys",
    "invalid_key": "a section whose keys are text",
    "union_tag_not_found": "a section with the key {discriminator}",
    "union_tag_invalid": "a section whose key {discriminator} is {expected_tags}",
    "none_required": "null",
    "callable_type": "a function or a class",
    "is_instance_of": "a {class}",
    "is_subclass_of": "a class derived from {class}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "missing": "a longer list",  # of a tuple's items
    "recursion_loop": "a value that does not contain itself",
    "frozen_field": "the value it was made with: it is fixed",
    "frozen_instance": "the value it was made with: it is fixed",
}
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
