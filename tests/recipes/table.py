"""All rows of the table: those of the modules in ``published``, one for each family of recipes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.recipes.expected import Expected


def rows() -> list[Expected]:
    """Return the lists ``ROWS`` of all modules, joined."""
    names = sorted(file.stem for file in Path(__file__).with_name("published").glob("*.py"))
    modules = [import_module(f"tests.recipes.published.{name}") for name in names]
    return [row for module in modules for row in module.ROWS]
