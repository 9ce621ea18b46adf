"""Which hooks there are: the core's, and those that plugins publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

from reidcore import hookspecs

if TYPE_CHECKING:
    from reidcore.plugins.manager import Plugin

PREFIX = "reid_"
HOOK_NAMES = tuple(name for name in vars(hookspecs) if name.startswith(PREFIX))
"""The core's hooks, in the order in which a run calls them."""


class HookPublisher:
    """What ``reid_add_hookspecs`` receives: publishes hooks in one plugin's name."""

    def __init__(
        self, manager: pluggy.PluginManager, plugin: Plugin, published: dict[str, Plugin]
    ) -> None:
        self._manager = manager
        self._plugin = plugin
        self._published = published

    def add_hookspecs(self, namespace: Any) -> None:
        """Publish the functions of a module or class that are marked ``@hookspec``.

        Args:
            namespace: the module or class; names of hooks begin with ``reid_``.

        Raises:
            ValueError: if it has no hooks, or one with a name that is unusable or taken.
        """
        names = [
            name
            for name in dir(namespace)
            if self._manager.parse_hookspec_opts(namespace, name) is not None
        ]
        if not names:
            raise ValueError(f"{namespace!r} has no hooks: mark them @hookspec")
        for name in names:
            if not name.startswith(PREFIX):
                raise ValueError(f"the hook {name!r} does not begin with {PREFIX!r}")
            if name in HOOK_NAMES or name in self._published:
                owner = self._published.get(name)
                who = f"plugin {owner.origin}" if owner else "reidcore itself"
                raise ValueError(f"there is a hook {name!r} already, of {who}")
        self._manager.add_hookspecs(namespace)
        self._published |= dict.fromkeys(names, self._plugin)
