"""Which formats there are, by name and by the ending of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from reidcore.errors import UserError
from reidcore.plugins import Plugins, current_plugins
from reidcore.registry import Component, Entry, published, select

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


def known_formats(plugins: Plugins | None = None) -> list[Entry]:
    """Return the registered formats; those of their aliases that begin with a dot are endings.

    Raises:
        PluginError: if this package's plugin is left out, which publishes the hook.
    """
    plugins = plugins or current_plugins()
    plugins.get(PLUGIN)
    return published(KIND, "reid_register_export_formats", plugins)


def format_named(name: str, plugins: Plugins | None = None) -> Format:
    """Return the format of a name.

    Raises:
        UserError: if there is none, several plugins have it, or its extra is not installed.
    """
    return _made(select(KIND, name, [_without_endings(each) for each in known_formats(plugins)]))


def format_of(path: Path, plugins: Plugins | None = None) -> Format | None:
    """Return the format that a file is of by its ending; None for a checkpoint or anything else.

    Raises:
        UserError: if several plugins have that ending, or the format's extra is not installed.
    """
    known, ending = known_formats(plugins), path.suffix.lower()
    if not any(ending in entry.aliases for entry in known):
        return None
    return _made(select(KIND, ending, known))


def can_write(form: Format) -> bool:
    """Tell whether a format writes files, or only runs those of others."""
    return callable(getattr(form, "convert", None))


def writer_of(ending: str, plugins: Plugins | None = None) -> str:
    """Return the name of the format whose own ending this is."""
    return next(entry.name for entry in known_formats(plugins) if ending in entry.aliases)


def required_format(path: Path, plugins: Plugins | None = None) -> Format:
    """Return the format that a file is of.

    Raises:
        UserError: if no format has its ending.
    """
    found = format_of(path, plugins)
    if found is None:
        aliases = {alias for entry in known_formats(plugins) for alias in entry.aliases}
        endings = sorted(filter(_is_ending, aliases))
        raise UserError(
            f"{str(path)!r} is no exported model",
            f"Those end in {', '.join(endings)}; 'reidcore export' makes one of a checkpoint.",
        )
    return found


def _is_ending(alias: str) -> bool:
    return alias.startswith(".")


def _without_endings(entry: Entry) -> Entry:
    return replace(entry, aliases=tuple(filterfalse(_is_ending, entry.aliases)))


def _made(entry: Entry) -> Format:
    made = Component(entry).make()
    missing = [each for each in ("open", "read") if not callable(getattr(made, each, None))]
    if missing:
        raise entry.defect(made, "an object with the methods open and read")
    return cast("Format", made)
