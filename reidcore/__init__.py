"""reidcore: a plugin-based framework for re-identification.

Plugin authors need one import: ``from reidcore import hookimpl``. Everything else is loaded when
it is first used, so that importing this package loads neither torch nor numpy.
"""

from __future__ import annotations

from pluggy import HookimplMarker

__version__ = "0.1.0"

hookimpl = HookimplMarker("reidcore")

_SUBMODULES = ("data", "engine", "evaluation", "losses", "metrics", "models", "optim", "utils")


def __getattr__(name: str) -> object:
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["__version__", "hookimpl"]
