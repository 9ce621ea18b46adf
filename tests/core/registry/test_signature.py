from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reidcore.registry import Entry
from reidcore.registry.signature import options_declared

if TYPE_CHECKING:
    from somewhere import Unknown


class Named:
    def __init__(self, r, size: int = 1, unknown: Unknown = None, bare=None, *, flag=False):
        pass


def test_what_the_core_supplies_is_no_option_whatever_it_is_called():
    declared = options_declared(Entry("datasets", "named", Named, "test"))
    assert list(declared) == ["size", "unknown", "bare", "flag"]


def test_types_come_from_annotations_else_from_defaults_else_are_unknown():
    declared = options_declared(Entry("datasets", "named", Named, "test"))
    types = {name: option.annotation for name, option in declared.items()}
    assert types == {"size": int, "unknown": Any, "bare": Any, "flag": bool}
