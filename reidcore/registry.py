"""Names of components and where they come from.

Plugins add names through the ``reid_register_*`` hooks; a name leads to a target that is imported
when the component is used. Nothing is kept globally: a listing belongs to a set of plugins.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from reidcore.errors import PluginError, UnknownNameError, UserError, did_you_mean
from reidcore.lazy import load_target
from reidcore.package_files import read_table
from reidcore.plugins import Plugin, Plugins, current_plugins, describe

_log = logging.getLogger(__name__)

KINDS = (
    "models",
    "datasets",
    "losses",
    "samplers",
    "engines",
    "transforms",
    "optimizers",
    "schedulers",
    "protocols",
    "configs",
    "weights",
)


@dataclass(frozen=True)
class Entry:
    """A registered component.

    Attributes:
        kind: one of ``KINDS``.
        name: the name users write.
        target: a callable, or ``"module:attribute"``.
        plugin: the plugin that registered it.
        distribution: that plugin's distribution; empty for files and objects.
        summary: one line for listings.
        aliases: further names.
        needs: extras of the distribution that must be installed.
        options: other spellings of its options -> their real names.
    """

    kind: str
    name: str
    target: Callable[..., Any] | str
    plugin: str
    distribution: str = ""
    summary: str = ""
    aliases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def qualified_name(self) -> str:
        """The spelling that is never ambiguous: ``plugin/name``."""
        return f"{self.plugin}/{self.name}"

    @property
    def label(self) -> str:
        """The component as messages name it, e.g. ``model 'osnet_x1_0'``."""
        return f"{singular(self.kind)} {self.name!r}"

    def load(self) -> Callable[..., Any]:
        """Import and return the component's target.

        Raises:
            UserError: if an extra is not installed.
            PluginError: if the target cannot be imported.
        """
        if not isinstance(self.target, str):
            return self.target
        try:
            target = load_target(self.target)
        except Exception as error:
            raise self._unloadable(error) from error
        if not callable(target):
            raise self._unloadable(TypeError(f"a {type(target).__name__} cannot be called"))
        return target  # type: ignore[no-any-return]

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Return the parameters that the target takes."""
        return inspect.signature(self.load()).parameters

    def _unloadable(self, error: Exception) -> UserError:
        if self.needs and isinstance(error, ImportError):
            extras = ",".join(self.needs)
            return UserError(
                f"{self.label} needs a package that is not installed ({error})",
                f'Run: pip install "{self.distribution or "reidcore"}[{extras}]"',
            )
        return PluginError(
            f"{self.label} of plugin {self.plugin!r} cannot be loaded from {self.target!r}: "
            f"{describe(error)}",
            "That is a mistake in the plugin; tell its author.",
        )


class Registrar:
    """What a ``reid_register_*`` hook receives: adds names in one plugin's name."""

    def __init__(self, kind: str, plugin: Plugin) -> None:
        self._kind = kind
        self._plugin = plugin
        self.added: dict[str, Entry] = {}

    def add(
        self,
        name: str,
        target: Callable[..., Any] | str,
        *,
        summary: str = "",
        aliases: Sequence[str] = (),
        needs: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Add a component.

        Args:
            name: the name users write in a configuration.
            target: a callable, or ``"module:attribute"``, imported when the component is used.
            summary: one line for ``reidcore ls``.
            aliases: further names for it.
            needs: extras of the plugin's distribution that it needs.
            options: other spellings of its options -> their real names.

        Raises:
            ValueError: if the name is taken within this plugin, or is no usable name.
            TypeError: if the target is neither callable nor ``"module:attribute"``.
        """
        if not isinstance(name, str) or not name.strip() or "/" in name:
            raise ValueError(f"{name!r} is no name for a {singular(self._kind)}")
        if name in self.added:
            raise ValueError(f"{singular(self._kind)} {name!r} is registered twice")
        if not (callable(target) or self._is_spelled(target)):
            raise TypeError(f"the target of {name!r} is neither callable nor 'module:attribute'")
        self.added[name] = Entry(
            self._kind,
            name,
            target,
            self._plugin.name,
            self._plugin.distribution,
            summary,
            tuple(aliases),
            tuple(needs),
            dict(options or {}),
        )

    def _is_spelled(self, target: object) -> bool:
        return isinstance(target, str) and (self._kind == "configs" or ":" in target)


class ConfigRegistrar(Registrar):
    """The registrar of recipes, which also takes the schema of a plugin's settings."""

    schema: Any = None

    def settings(self, schema: Any) -> None:
        """Check the section ``settings.<plugin>`` by a pydantic model or ``"module:Model"``."""
        self.schema = schema


@dataclass(frozen=True)
class TableRow:
    """A row of a table that a package brings; calling it reads it."""

    table: str
    name: str

    def __call__(self) -> Mapping[str, Any]:
        """Return what the row says."""
        return read_table(self.table)[self.name]

    def __str__(self) -> str:
        return self.table


class WeightsRegistrar(Registrar):
    """The registrar of published weights, which also takes a whole table of them."""

    def table(self, target: str) -> None:
        """Add each row of a YAML file of your package, ``"package:weights.yaml"``.

        Raises:
            PluginError: if the file is missing or holds no table.
        """
        for name, row in read_table(target).items():
            told = [str(row[key]) for key in ("origin", "licence") if row.get(key)]
            self.add(name, TableRow(target, name), summary=", ".join(told))


_REGISTRARS = {"configs": ConfigRegistrar, "weights": WeightsRegistrar}


def entries(kind: str, plugins: Plugins | None = None) -> list[Entry]:
    """Return the components of a kind, by name."""
    return sorted(_listing(kind, plugins).entries, key=lambda entry: (entry.name, entry.plugin))


def settings_schemas(plugins: Plugins | None = None) -> dict[str, Any]:
    """Return plugin name -> the pydantic model of its settings."""
    schemas = _listing("configs", plugins).schemas
    return {
        plugin: load_target(schema) if isinstance(schema, str) else schema
        for plugin, schema in schemas.items()
    }


def find(kind: str, name: str, plugins: Plugins | None = None) -> Entry:
    """Return the component of that name, or of the qualified name ``plugin/name``.

    Raises:
        UnknownNameError: if there is none; names the nearest ones.
        PluginError: if several plugins provide it.
    """
    listed = entries(kind, plugins)
    found = [entry for entry in listed if name in (entry.name, entry.qualified_name)]
    found = found or [entry for entry in listed if name in entry.aliases]
    if not found:
        raise _unknown(kind, name, listed, plugins or current_plugins())
    if len(found) > 1:
        raise PluginError(
            f"{singular(kind)} {name!r} is provided by several plugins: "
            f"{', '.join(entry.plugin for entry in found)}",
            f"Write {' or '.join(repr(entry.qualified_name) for entry in found)}.",
        )
    return found[0]


def invalidate() -> None:
    """Forget all listings; for plugins whose components grow while the program runs."""
    _listings.clear()


def singular(kind: str) -> str:
    """Return the name of one component of a kind."""
    names = {"losses": "loss", "configs": "recipe", "weights": "weights"}
    return names.get(kind, kind.removesuffix("s"))


@dataclass(frozen=True)
class _Listing:
    entries: list[Entry]
    schemas: dict[str, Any]


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
    """Call the plugins one at a time, so that each name has its owner and a failure stays its."""
    hook_name = f"reid_register_{kind}"
    listing = _Listing([], {})
    for plugin in [plugin for plugin in plugins.active if hook_name in plugin.hooks]:
        registrar = _REGISTRARS.get(kind, Registrar)(kind, plugin)
        try:
            plugins.subset_hook(hook_name, [plugin])(registry=registrar)
        except Exception as error:
            plugins.fail(plugin, error)
            _listings.pop(plugins, None)
            continue
        listing.entries.extend(registrar.added.values())
        if isinstance(registrar, ConfigRegistrar) and registrar.schema is not None:
            listing.schemas[plugin.name] = registrar.schema
    return listing


def _unknown(kind: str, name: str, listed: list[Entry], plugins: Plugins) -> UnknownNameError:
    spellings = [spelling for entry in listed for spelling in (entry.name, *entry.aliases)]
    left_out = [plugin.origin for plugin in plugins if plugin.state == "disabled"]
    empty = (
        f"No {kind} are installed at all: run 'pip install reidcore' again, or install a plugin "
        "that brings some."
    )
    steps = [
        did_you_mean(name, spellings),
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
