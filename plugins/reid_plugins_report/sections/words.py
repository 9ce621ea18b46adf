"""Names and values as the page writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

_RANK = re.compile(r"rank(\d+)")


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a finite number."""
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


def is_share(name: str) -> bool:
    """Say whether a record's entry is one of the shares of every test."""
    return name in ("mAP", "mINP") or _RANK.fullmatch(name) is not None


def figure_name(name: str) -> str:
    """Return a figure's name as tables head it."""
    found = _RANK.fullmatch(name)
    return f"Rank-{found[1]}" if found else name


def words_of(value: Any) -> str:
    """Return a value of a record in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {words_of(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(words_of, value)) or "none"
    return str(value)
