"""Values as the page writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
