"""The rows of the table, a module for each family of recipes; each has a list ``ROWS``."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tests.recipes.expected import Expected


def rows() -> list[Expected]:
    """Return the rows of all modules of this package."""
    modules = [import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    return [row for module in modules for row in module.ROWS]
