"""A configuration in full: every key with its value, the defaults of components included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reidcore.config.components import NAMED_KINDS, SELECT, section_of
from reidcore.config.schema import Config
from reidcore.errors import ExplainedError
from reidcore.registry import entries
from reidcore.registry.signature import declared_options

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def resolved(config: Config, plugins: Plugins | None = None) -> dict[str, Any]:
    """Return the configuration as nested plain values, with the sections of installed components.

    No component needs to be usable: one that cannot be imported is left out.

    Args:
        config: a checked configuration, or a draft's.
        plugins: whose components' defaults to include; the current plugins by default.
    """
    tree = config.model_dump(mode="json")
    for key, default, spellings in _component_defaults(plugins):
        section = tree
        for name in key[:-1]:
            section = section.setdefault(name, {})
        if section.keys().isdisjoint(spellings):
            section.setdefault(key[-1], default)
    return tree


def _component_defaults(plugins: Plugins | None) -> Iterator[tuple[tuple[str, ...], Any, set[str]]]:
    """Yield the place of each option, its default, and its other names in the same section."""
    for kind in (*NAMED_KINDS, "losses"):
        for entry in entries(kind, plugins):
            try:
                declared = declared_options(entry)
            except ExplainedError:
                continue
            defaults = {name: p.default for name, p in declared.items() if p.default is not p.empty}
            shared = {real for spelling, real in entry.options.items() if "." in spelling}
            for name in [name for name in defaults if name not in shared]:
                spellings = {other for other, real in entry.options.items() if real == name}
                yield (*section_of(entry), name), _plain(defaults[name]), spellings
            defaults[SELECT] = False
            for spelling, real in entry.options.items():
                if "." in spelling and real in defaults:
                    yield tuple(spelling.split(".")), _plain(defaults[real]), set()


def _plain(value: Any) -> Any:
    """Return a default as YAML could hold it."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
