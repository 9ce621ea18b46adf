"""What the global options say, and the plugins that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reidcore.plugins import Plugins, make_plugins


@dataclass(frozen=True)
class Session:
    """The global options.

    Attributes:
        disabled: plugins to leave out.
        extra: plugin files and modules to add.
        debug: show tracebacks.
    """

    disabled: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    debug: bool = False

    def plugins(self, extra: Sequence[str] = (), named: Sequence[str] | None = None) -> Plugins:
        """Load the plugins of a command.

        Args:
            extra: further files and modules, from the command's own ``-p``.
            named: the configuration's ``plugins``: names restrict, paths add.
        """
        paths = [name for name in named or () if is_path(name)]
        names = [name for name in named or () if not is_path(name)]
        return make_plugins(
            extra=[*paths, *self.extra, *extra],
            disabled=self.disabled,
            only=names or None,
        )


def is_path(name: str) -> bool:
    """Say whether a plugin is named by its file."""
    return name.endswith(".py") or "/" in name
