"""What pydantic finds is told in our words: annotations of every kind against every value."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import core_schema

from reidcore._validation import _EXPECTED, _SIZED, mistakes_in
from reidcore.config import Config
from reidcore.errors import ConfigError
from reidcore.registry import Entry
from reidcore.registry.component import read_options


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Box:
    width: int


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]


class Fixed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=2, max_length=3)]


ANNOTATIONS: list[Any] = [
    int,
    float,
    bool,
    str,
    None,
    complex,
    bytes,
    Path,
    list[int],
    tuple[int, str],
    tuple[int, ...],
    set[int],
    frozenset[int],
    Sequence[int],
    Mapping[str, int],
    dict[str, int],
    Callable[[], int],
    type[Box],
    Literal["a", "b"],
    Colour,
    Point,
    Box,
    Fixed,
    int | str | None,
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Annotated[int, Field(ge=2, le=3)],
    Annotated[float, Field(gt=2, lt=3, allow_inf_nan=False)],
    Annotated[int, Field(multiple_of=2)],
    Annotated[str, Field(min_length=1)],
    Annotated[str, Field(pattern="^a+$", min_length=3, max_length=4)],
    Annotated[list[int], Field(min_length=2, max_length=3)],
    Annotated[bytes, Field(min_length=2, max_length=3)],
]
VALUES: list[Any] = [
    None,
    True,
    0,
    5,
    -1,
    10**30,
    10**5000,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "abcdef",
    "1.5",
    "9" * 5000,
    [],
    ["x"],
    [1, 2, 3, 4],
    [[1], {}],
    {},
    {"x": "y"},
    {"kind": "cow"},
    {"name": "a"},
    {"name": "abcd"},
    {"width": "x", "more": 1},
    {5: 6},
    b"x",
    b"12345",
    object(),
    int,
]
# How pydantic speaks to programmers.
PYDANTIC = re.compile(
    r"Input|should|valid |unable|Error|\[type=|dictionary|boolean|integer|instance"
)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@pytest.mark.parametrize("strict", [True, False])
def test_no_words_of_pydantic_reach_the_user(annotation: Any, strict: bool) -> None:
    adapter = TypeAdapter(annotation)
    for value in VALUES:
        try:
            adapter.validate_python(value, strict=strict)
        except ValidationError as error:
            for mistake in mistakes_in(value, error):
                expected = mistake.text.partition(", not ")[0]
                assert not PYDANTIC.search(expected), expected
                assert len(mistake.text) < 1000


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_an_option_of_any_type_is_refused_in_our_words(annotation: Any) -> None:
    def factory(*, option: Any) -> None:
        """Take one option."""

    factory.__annotations__["option"] = annotation
    entry = Entry("protocols", "mine", factory, "plugin")
    told = [str(error) for value in VALUES if (error := refusal(entry, value)) is not None]
    assert told
    assert [text for text in told if PYDANTIC.search(text)] == []


def refusal(entry: Entry, value: Any) -> ConfigError | None:
    try:
        read_options(entry, {"option": value})
    except ConfigError as error:
        return error
    return None


def test_each_error_that_the_configuration_can_meet_has_words_of_ours() -> None:
    """The types of pydantic's errors by the kinds of schema that the core's keys are made of."""
    kinds = set(_kinds_in(Config.__pydantic_core_schema__))
    of_kind = {
        "int": "int_type int_parsing int_parsing_size int_from_float",
        "float": "float_type float_parsing finite_number",
        "bool": "bool_type bool_parsing",
        "str": "string_type string_unicode string_too_short string_too_long",
        "list": "list_type too_short too_long",
        "dict": "dict_type mapping_type too_short too_long",
        "literal": "literal_error",
        "none": "none_required",
        "model": "model_type model_attributes_type frozen_instance",
        "model-fields": "missing frozen_field invalid_key model_attributes_type recursion_loop",
        "any": "",
        "nullable": "",
        "default": "",
        "definitions": "",
        "definition-ref": "",
        "model-field": "",
        "function-before": "",
        "function-after": "",
    }
    bounds = "greater_than greater_than_equal less_than less_than_equal"
    assert kinds <= of_kind.keys(), "a new kind of schema: add the errors that it can give"
    known = _EXPECTED.keys() | _SIZED.keys()
    for kind in kinds:
        assert set(of_kind[kind].split()) <= known, kind
    assert set(bounds.split()) <= known
    assert not {kind for kind in known if kind.startswith(("decimal", "fraction", "deque"))}
    assert known <= {
        *get_args(core_schema.ErrorType),
        "string_sub_type",
        "sequence_str",
        "path_type",
    }


def _kinds_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for key, inner in schema.items():
            if key not in ("metadata", "default", "expected", "function"):
                yield from _kinds_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _kinds_in(inner)
