"""What the global options say, and the plugins that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reidcore.plugins import Plugins, make_plugins
from reidcore.plugins.discovery import looks_like_path


@dataclass(frozen=True)
class Session:
    """The global options.

    Attributes:
        disabled: plugins to leave out.
        extra: plugin files and modules to add.
        debug: show tracebacks.
        loaded: the plugins that were loaded so far, to find whose defect an error is.
    """

    disabled: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    debug: bool = False
    loaded: list[Plugins] = field(default_factory=list)

    def plugins(self, extra: Sequence[str] = (), named: Sequence[str] | None = None) -> Plugins:
        """Load the plugins of a command.

        Args:
            extra: further files and modules, from the command's own ``-p``.
            named: the configuration's ``plugins``: names restrict, paths add.
        """
        paths = [name for name in named or () if looks_like_path(name)]
        names = [name for name in named or () if not looks_like_path(name)]
        plugins = make_plugins(
            extra=[*paths, *self.extra, *extra], disabled=self.disabled, only=names or None
        )
        self.loaded.append(plugins)
        return plugins
