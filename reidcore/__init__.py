"""reidcore: a plugin-based framework for re-identification.

Plugin authors need one import: ``from reidcore import hookimpl``. Everything else is loaded when
it is first used, so that importing this package loads neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from reidcore.plugins.runtime import register as register

__version__ = "0.1.0"
"""The version of the installed package."""

hookimpl = HookimplMarker("reidcore")
"""Marks a plugin's implementation of a hook."""

hookspec = HookspecMarker("reidcore")
"""Marks a hook that a plugin publishes; see ``reid_add_hookspecs``."""

_SUBMODULES = ("data", "engine", "evaluation", "losses", "metrics", "models", "optim", "utils")


def __getattr__(name: str) -> object:
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "register":
        return importlib.import_module(f"{__name__}.plugins.runtime").register
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["__version__", "hookimpl", "hookspec", "register"]
