"""Which formats there are, by name and by the ending of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from reidcore.errors import PluginError, UnknownNameError, UserError, did_you_mean, quoted
from reidcore.plugins import Plugins, current_plugins
from reidcore.registry import Component, Entry, Registrar

if TYPE_CHECKING:
    from torch import Tensor

    from reid_plugins_export.network import FeatureNetwork
    from reidcore.inference import Backend

KIND = "export formats"
PLUGIN = "export"

Save = Callable[[Path, Mapping[str, Any]], None]
"""Writes what was converted, with a record inside."""


class Format(Protocol):
    """A format of exported models, see ``reid_register_export_formats``."""

    ending: str

    def convert(self, network: FeatureNetwork, calibration: Tensor | None) -> Save:
        """Convert a network for any number of images; with calibration images to INT8."""
        ...

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> Backend:
        """Open a file for running."""
        ...

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty if it has none."""
        ...


def known_formats(plugins: Plugins | None = None) -> dict[str, list[Entry]]:
    """Return name or ending -> the registered formats, one unless several plugins have it.

    Raises:
        PluginError: if this package's plugin is left out, which publishes the hook.
    """
    plugins = plugins or current_plugins()
    plugins.get(PLUGIN)
    found: dict[str, list[Entry]] = {}
    for plugin in [each for each in plugins.active if "reid_register_export_formats" in each.hooks]:
        registrar = Registrar(KIND, plugin)
        try:
            plugins.subset_hook("reid_register_export_formats", [plugin])(registry=registrar)
        except Exception as error:
            plugins.fail(plugin, error)
            continue
        for entry in registrar.added.values():
            for name in entry.names:
                found.setdefault(name, []).append(entry)
    return found


def format_named(name: str, plugins: Plugins | None = None) -> Format:
    """Return the format of a name.

    Raises:
        UserError: if there is none, several plugins have it, or its extra is not installed.
    """
    known = known_formats(plugins)
    if name not in known or name.startswith("."):
        names = sorted(each for each in known if "/" not in each and not each.startswith("."))
        raise UnknownNameError(
            f"no export format is named {quoted(name)}",
            f"{did_you_mean(name, names)} There are {', '.join(names)}.".strip(),
        )
    return _made(name, known[name])


def format_of(path: Path, plugins: Plugins | None = None) -> Format | None:
    """Return the format that a file is of by its ending; None for a checkpoint or anything else.

    Raises:
        UserError: if several plugins have that ending, or the format's extra is not installed.
    """
    known = known_formats(plugins)
    ending = path.suffix.lower()
    return _made(ending, known[ending]) if ending and ending in known else None


def can_write(form: Format) -> bool:
    """Tell whether a format writes files, or only runs those of others."""
    return callable(getattr(form, "convert", None))


def writer_of(ending: str, plugins: Plugins | None = None) -> str:
    """Return the name of the format whose own ending this is."""
    return known_formats(plugins)[ending][0].name


def required_format(path: Path, plugins: Plugins | None = None) -> Format:
    """Return the format that a file is of.

    Raises:
        UserError: if no format has its ending.
    """
    found = format_of(path, plugins)
    if found is None:
        endings = sorted(each for each in known_formats(plugins) if each.startswith("."))
        raise UserError(
            f"{str(path)!r} is no exported model",
            f"Those end in {', '.join(endings)}; 'reidcore export' makes one of a checkpoint.",
        )
    return found


def _made(name: str, entries: list[Entry]) -> Format:
    if len(entries) > 1:
        spelled = " or ".join(repr(entry.qualified_name) for entry in entries)
        raise PluginError(f"several plugins have an export format {name!r}", f"Name {spelled}.")
    (entry,) = entries
    made = Component(entry).make()
    missing = [each for each in ("open", "read") if not callable(getattr(made, each, None))]
    if missing:
        raise entry.defect(made, "an object with the methods open and read")
    return cast("Format", made)
