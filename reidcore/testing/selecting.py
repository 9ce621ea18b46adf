"""The plugins of a test: the bundled ones and those under test, whatever else is installed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from reidcore import plugins as loading
from reidcore.plugins import Plugins
from reidcore.plugins.discovery import BUNDLED_DISTRIBUTION, installed_candidates


def make_plugins(*plugins: Any) -> Plugins:
    """Load the bundled plugins and these; other installed ones are left out.

    Use it in a ``with`` block, to have everything inside use the set.

    Args:
        plugins: modules, their names, paths of ``.py`` files, objects with hooks, or the names of
            installed plugins or distributions. A module that is installed as a plugin is loaded as
            that, under its entry point's name.

    Raises:
        PluginError: if one of them cannot be loaded.
    """
    installed: dict[str, str] = {}
    for candidate in installed_candidates():
        installed[candidate.location] = candidate.name
        installed |= {name: name for name in candidate.names}
    named = [installed[_spelling(each)] for each in plugins if _spelling(each) in installed]
    others = [each for each in plugins if _spelling(each) not in installed]
    return loading.make_plugins(extra=others, only=[BUNDLED_DISTRIBUTION, *named])


def _spelling(plugin: Any) -> str:
    """Return what a plugin is called where it is installed; nothing for an object."""
    if isinstance(plugin, ModuleType):
        return plugin.__name__
    return plugin if isinstance(plugin, str) else ""
