"""The plugins of a test: the bundled ones and those under test, whatever else is installed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from reidcore import plugins as loading
from reidcore.discovery import BUNDLED_DISTRIBUTION, installed_candidates
from reidcore.plugins import Plugins


def make_plugins(*plugins: Any) -> Plugins:
    """Load the bundled plugins and these; other installed ones are left out.

    Use it in a ``with`` block, to have everything inside use the set.

    Args:
        plugins: modules, their names, paths of ``.py`` files, or objects with hooks. A module that
            is installed as a plugin is loaded as that, under its entry point's name.

    Raises:
        PluginError: if one of them cannot be loaded.
    """
    names = {candidate.location: candidate.name for candidate in installed_candidates()}
    installed = [names[_location(each)] for each in plugins if _location(each) in names]
    others = [each for each in plugins if _location(each) not in names]
    return loading.make_plugins(extra=others, only=[BUNDLED_DISTRIBUTION, *installed])


def _location(plugin: Any) -> str:
    """Return what an entry point of this plugin would point to."""
    if isinstance(plugin, ModuleType):
        return plugin.__name__
    return plugin if isinstance(plugin, str) else ""
