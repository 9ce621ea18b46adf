"""Plugins: discovered, loaded one at a time, isolated, and known by name.

``make_plugins()`` makes a set of plugins, ``with make_plugins(...)`` makes it the current one, and
``current_plugins()`` is the current set, or one cached default, so that hooks fire alike for
``reidcore run`` and for engines built by hand.
"""

from reidcore.plugins.hooks import HOOK_NAMES, HookPublisher
from reidcore.plugins.manager import (
    CORE,
    THIS_PROCESS,
    Plugin,
    Plugins,
    current_plugins,
    describe,
    make_plugins,
)

__all__ = [
    "CORE",
    "HOOK_NAMES",
    "HookPublisher",
    "THIS_PROCESS",
    "Plugin",
    "Plugins",
    "current_plugins",
    "describe",
    "make_plugins",
]
