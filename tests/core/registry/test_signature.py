from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from reidcore.registry import Entry
from reidcore.registry.signature import (
    declared_options,
    spellings,
    takes_anything,
    takes_first_by_position,
)

if TYPE_CHECKING:
    from somewhere import Unknown


class Named:
    def __init__(self, r, size: int = 1, unknown: Unknown = None, bare=None, *, flag=False):
        pass


def entry(target: Any, kind: str = "datasets", **spelled: str) -> Entry:
    return Entry(kind, "named", target, "test", options=spelled)


def test_what_the_core_supplies_is_no_option_whatever_it_is_called():
    model = entry(Named).options_model()
    assert list(model.model_fields) == ["size", "unknown", "bare", "flag"]


def test_types_come_from_annotations_else_from_defaults_else_are_unknown():
    fields = entry(Named).options_model().model_fields
    types = {name: field.annotation for name, field in fields.items()}
    assert types == {"size": int, "unknown": Any, "bare": Any, "flag": bool}


def test_what_the_core_supplies_by_name_is_no_option_either():
    def mine(root, mode="train", split_id=0, workers=1, transform=None):
        raise NotImplementedError

    assert list(declared_options(entry(mine))) == ["workers"]
    assert list(declared_options(entry(mine, "protocols"))) == [
        "root",
        "mode",
        "split_id",
        "workers",
        "transform",
    ]


@pytest.mark.parametrize(
    ("factory", "by_position"),
    [
        (lambda folder: None, True),
        (lambda root: None, False),
        (lambda labeled=False, root="": None, False),
        (lambda *, root: None, False),
        (lambda **anything: None, False),
        (lambda root, /: None, True),
    ],
)
def test_the_first_argument_may_have_any_name(factory: Any, by_position: bool) -> None:
    assert takes_first_by_position(entry(factory)) is by_position


def test_a_list_stands_for_a_tuple_and_text_for_a_path_and_objects_for_themselves():
    def factory(root, *, sizes: tuple[float, ...] = (), file: Path | None = None, anything=None):
        raise NotImplementedError

    model = entry(factory).options_model()
    read = dict(model.model_validate({"sizes": [1, 2], "file": "x"}))
    assert read == {"sizes": (1.0, 2.0), "file": Path("x"), "anything": None}
    thing = object()
    read = dict(model.model_validate({"file": Path("y"), "anything": thing}))
    assert read["file"] == Path("y")
    assert read["anything"] is thing


@pytest.mark.parametrize("value", [{"flag": 1}, {"size": 1.5}, {"size": True}, {"size": "1"}])
def test_values_of_another_type_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry(Named).options_model().model_validate(value)


def test_other_spellings_are_aliases_and_those_of_nothing_are_none():
    known = entry(Named, other="size", gone="not_an_option")
    assert spellings(known) == {
        "size": "size",
        "unknown": "unknown",
        "bare": "bare",
        "flag": "flag",
        "other": "size",
    }
    assert dict(known.options_model().model_validate({"other": 3}))["size"] == 3


def test_a_factory_with_kwargs_takes_any_key_but_the_cores():
    def loose(root="", **anything):
        raise NotImplementedError

    assert takes_anything(entry(loose))
    model = entry(loose).options_model()
    assert dict(model.model_validate({"folder": "x"}))["folder"] == "x"
    with pytest.raises(ValidationError, match="The core fills"):
        model.model_validate({"mode": "query"})


def test_an_option_may_bear_the_name_of_a_method_of_pydantics():
    def factory(root, copy=False, schema="a"):
        raise NotImplementedError

    read = dict(entry(factory).options_model().model_validate({"copy": True}))
    assert read == {"copy": True, "schema": "a"}
