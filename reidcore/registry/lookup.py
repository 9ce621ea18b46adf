"""Find components by name, among those of a set of plugins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary

from reidcore._lazy import load_target
from reidcore.errors import PluginError, UnknownNameError, did_you_mean, quoted
from reidcore.plugins import Plugins, current_plugins, describe
from reidcore.registry.entry import KINDS, Entry, Family, singular
from reidcore.registry.registrars import REGISTRARS, ConfigRegistrar, Registrar, WeightsRegistrar


def entries(kind: str, plugins: Plugins | None = None) -> list[Entry]:
    """Return the components of a kind, by name."""
    return sorted(_listing(kind, plugins).entries, key=lambda entry: (entry.name, entry.plugin))


def families(kind: str, plugins: Plugins | None = None) -> list[Family]:
    """Return the families of names of a kind, by prefix."""
    return sorted(_listing(kind, plugins).families, key=lambda each: (each.prefix, each.plugin))


def settings_schemas(plugins: Plugins | None = None) -> dict[str, Any]:
    """Return plugin name -> the pydantic model of its settings."""
    schemas = _listing("configs", plugins).schemas
    return {
        plugin: load_target(schema) if isinstance(schema, str) else schema
        for plugin, schema in schemas.items()
    }


def layouts(plugins: Plugins | None = None) -> list[Entry]:
    """Return the ways to read weights that have another library's keys."""
    return list(_listing("weights", plugins).layouts)


def find(
    kind: str, name: str, plugins: Plugins | None = None, beside: Collection[str] = ()
) -> Entry:
    """Return the component of that name, or of the qualified name ``plugin/name``.

    A component's own name goes before one that a family's prefix makes, ``prefix/member``. Whether
    the family has that member is known when it is loaded.

    Args:
        kind: one of ``KINDS``.
        name: the name.
        plugins: where to look; the current ones by default.
        beside: further names that might have been meant.

    Raises:
        UnknownNameError: if there is none; names the nearest ones.
        PluginError: if several plugins provide it.
    """
    listed = entries(kind, plugins)
    found = _named(name, listed) or _members(name, families(kind, plugins))
    if not found:
        raise _unknown(kind, name, listed, plugins or current_plugins(), beside)
    return _only(name, found)


def is_registered(kind: str, name: str, plugins: Plugins | None = None) -> bool:
    """Say whether some component of a kind has that name, or a family has a place for it."""
    listed = entries(kind, plugins)
    return bool(_named(name, listed) or _members(name, families(kind, plugins)))


def published(kind: str, hook: str, plugins: Plugins | None = None) -> list[Entry]:
    """Return what plugins register through a hook that a plugin publishes, as they registered it.

    The plugins are asked at each call; one that fails is told and left out.

    Args:
        kind: what its components are called, such as ``"importers"``.
        hook: the hook's name; its argument is ``registry``.
        plugins: which are asked; the current ones by default.
    """
    registrars = _registrars(kind, hook, plugins or current_plugins())
    return [entry for each in registrars for entry in each.added.values()]


def select(kind: str, name: str, listed: Sequence[Entry]) -> Entry:
    """Return the component of that name, qualified name or alias among published ones.

    Raises:
        UnknownNameError: if there is none; names the nearest ones, and all.
        PluginError: if several plugins provide it.
    """
    if found := _named(name, listed):
        return _only(name, found)
    names = sorted({entry.name for entry in listed})
    near, told = did_you_mean(name, names), ", ".join(names) or "none, their plugin is left out"
    what = f"no {singular(kind)} is named {quoted(name)}"
    raise UnknownNameError(what, f"{near} There are {told}.".strip())


def invalidate() -> None:
    """Forget all listings; for plugins whose components grow while the program runs."""
    _listings.clear()


@dataclass(frozen=True)
class _Listing:
    entries: list[Entry] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    schemas: dict[str, Any] = field(default_factory=dict)
    layouts: list[Entry] = field(default_factory=list)


_listings: WeakKeyDictionary[Plugins, dict[str, _Listing]] = WeakKeyDictionary()


def _listing(kind: str, plugins: Plugins | None) -> _Listing:
    if kind not in KINDS:
        raise UnknownNameError(
            f"there is no kind of component named {kind!r}",
            did_you_mean(kind, KINDS) or f"The kinds are: {', '.join(KINDS)}.",
        )
    plugins = plugins or current_plugins()
    known = _listings.get(plugins, {}).get(kind)
    if known is None:
        known = _collect(kind, plugins)
        _listings.setdefault(plugins, {})[kind] = known
    return known


def _collect(kind: str, plugins: Plugins) -> _Listing:
    listing = _Listing()
    for registrar in _registrars(kind, f"reid_register_{kind}", plugins):
        listing.entries.extend(registrar.added.values())
        listing.families.extend(registrar.families.values())
        if isinstance(registrar, ConfigRegistrar) and registrar.schema is not None:
            listing.schemas[registrar.plugin.name] = registrar.schema
        if isinstance(registrar, WeightsRegistrar):
            listing.layouts.extend(registrar.layouts.values())
    return listing


def _registrars(kind: str, hook: str, plugins: Plugins) -> Iterator[Registrar]:
    """Call the plugins one at a time, so that each name has its owner and a failure stays its."""
    for plugin, register in plugins.one_by_one(hook):
        registrar = REGISTRARS.get(kind, Registrar)(kind, plugin)
        try:
            register(registry=registrar)
        except Exception as error:
            plugins.fail(plugin, error)
            _listings.pop(plugins, None)
        else:
            yield registrar


def _named(name: str, listed: Sequence[Entry]) -> list[Entry]:
    """Return those of a name or qualified name; else those that have it for an alias."""
    found = [entry for entry in listed if name in (entry.name, entry.qualified_name)]
    return found or [entry for entry in listed if name in entry.aliases]


def _only(name: str, found: list[Entry]) -> Entry:
    if len(found) > 1:
        raise PluginError(
            f"{singular(found[0].kind)} {name!r} is provided by several plugins: "
            f"{', '.join(entry.plugin for entry in found)}",
            f"Write {' or '.join(repr(entry.qualified_name) for entry in found)}.",
        )
    return found[0]


def _members(name: str, listed: list[Family]) -> list[Entry]:
    """Return what a name stands for among families; qualified names go first."""
    for spelled in (attrgetter("qualified_prefix"), attrgetter("prefix")):
        found = [
            family.member(name.removeprefix(f"{spelled(family)}/"))
            for family in listed
            if name.startswith(f"{spelled(family)}/") and not name.endswith("/")
        ]
        if found:
            return found
    return []


def _unknown(
    kind: str, name: str, listed: list[Entry], plugins: Plugins, beside: Collection[str]
) -> UnknownNameError:
    spellings = [*beside]
    spellings += [spelling for entry in listed for spelling in (entry.name, *entry.aliases)]
    patterns = [family.pattern for family in families(kind, plugins)]
    left_out = [plugin.origin for plugin in plugins if plugin.state == "disabled"]
    empty = (
        f"No {kind} are installed at all: run 'pip install reidcore' again, or install a plugin "
        "that brings some."
    )
    steps = [
        did_you_mean(name, spellings),
        f"Or one of a family: {', '.join(patterns)}." if patterns else "",
        empty if not listed and not left_out else "",
        f"Left out of this run: {', '.join(left_out)}." if left_out else "",
        *(
            f"Plugin {plugin.origin} might provide it but is broken: {describe(plugin.error)}."
            for plugin in plugins.broken
            if plugin.error is not None
        ),
        f"See: reidcore ls {kind}" if listed else "See: reidcore plugins",
    ]
    return UnknownNameError(f"no {singular(kind)} is named {name!r}", " ".join(filter(None, steps)))
