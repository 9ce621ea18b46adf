"""Lazy module attributes (PEP 562), so that importing a package costs nothing."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any


def load_target(target: str) -> Any:
    """Import and return the attribute that ``"module:attribute"`` names."""
    module, _, attribute = target.partition(":")
    found: Any = importlib.import_module(module)
    first, *_ = attribute.split(".")
    is_part = bool(first) and hasattr(found, "__path__") and not hasattr(found, first)
    if is_part and find_spec(f"{module}.{first}"):
        importlib.import_module(f"{module}.{first}")  # as "from package import module" does
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    return found


def attach(module_name: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a module of lazy names.

    The names are those that the module imports below ``if TYPE_CHECKING:``, so that type checkers
    and this function read one list. Each is imported at its first use and then kept::

        if TYPE_CHECKING:
            from shop.heavy import Heavy

        __all__ = ["Heavy"]
        __getattr__, __dir__ = attach(__name__)

    ``__all__`` repeats the names, because type checkers and linters read it as a literal: if this
    function returned it, mypy would find no name exported, and ruff each import unused.

    Args:
        module_name: The module's ``__name__``.
    """
    targets = dict(_type_checked_imports(module_name))

    def __getattr__(name: str) -> Any:
        if name not in targets:
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        value = load_target(targets[name])
        setattr(sys.modules[module_name], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module_name]), *targets})

    return __getattr__, __dir__


def _type_checked_imports(module_name: str) -> Iterator[tuple[str, str]]:
    """Yield the names below a module's ``if TYPE_CHECKING:``, each with its target."""
    spec = find_spec(module_name)
    source = spec.loader.get_source(module_name)  # type: ignore[union-attr]
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for statement in block.body:
                if isinstance(statement, ast.ImportFrom):
                    for alias in statement.names:
                        yield alias.asname or alias.name, f"{statement.module}:{alias.name}"
