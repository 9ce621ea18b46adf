"""Which figures may stand beside one another: those that were measured in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reidcore.errors import quoted

# In these two systems may differ: that is what is compared. In all others, such as the protocol,
# the kind of AP and the data, they must not.
_OF_SYSTEMS = {"metric", "features", "normalized", "rerank", "test_time", "selected_on"}


def conditions_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the conditions of a target's figures; none of figures of older versions."""
    found = row.get("conditions")
    return found if isinstance(found, dict) else {}


def difference(tested: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """Say in what the first two differ that were not measured alike; None if all were.

    Args:
        tested: the name of each run, and the conditions of its figures.
    """
    (first, expected), *others = tested
    for name, conditions in ((first, expected), *others) if others else ():
        if not conditions:
            return f"{name!r} does not tell how, as an older version wrote it: test again"
    for name, conditions in others:
        for key in dict.fromkeys((*expected, *conditions)):
            values = expected.get(key), conditions.get(key)
            if key not in _OF_SYSTEMS and values[0] != values[1]:
                what = "their data differ" if key == "data" else f"{key!r} differs"
                return f"{what}: {quoted(values[0])} in {first!r}, {quoted(values[1])} in {name!r}"
    return None
