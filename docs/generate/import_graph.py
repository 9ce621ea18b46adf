"""What imports what at run time, read from the sources without running them.

Imports inside functions count; ``if TYPE_CHECKING`` blocks, which only type checkers read, do not.
A target ``"module:attribute"`` in a string counts as an import of its module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

Graph: TypeAlias = Mapping[str, set[str]]
TARGET = re.compile(r"^(reid(?:core|_plugins)[\w.]*):[\w.]+$")


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from statements(child)


def is_type_checking(node: ast.AST) -> bool:
    """Return whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported_names(path: Path, *, targets: bool = True) -> Iterator[tuple[str, str]]:
    """Yield what a file imports: a module, and the name taken from it or an empty string.

    Args:
        path: A Python file.
        targets: Whether targets in strings count.
    """
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}: relative import"
            assert node.level == 0, f"{path}: relative import"
            yield from ((node.module, alias.name) for alias in node.names)
        elif targets and isinstance(node, ast.Constant):
            yield from ((found[1], "") for found in TARGET.finditer(str(node.value)))


def module_graph(package: Path) -> Graph:
    """Return the modules of a package, each with those of the package that it imports.

    A name that is taken from a facade leads to the module where it is defined, and what a facade
    repeats is no import of its own: otherwise each module would import its whole package.

    Args:
        package: The folder of the package.
    """
    files = {_module_name(path, package.parent): path for path in package.rglob("*.py")}
    facades = {
        name: _type_checked_and_plain_names(path)
        for name, path in files.items()
        if _is_facade(path)
    }

    def home(module: str, name: str) -> str | None:
        if f"{module}.{name}" in files:
            return f"{module}.{name}"
        if name in facades.get(module, {}):
            return home(facades[module][name], name)
        return module if module in files else None

    return {
        name: set()
        if name in facades
        else {
            found
            for module, taken in imported_names(path, targets=False)
            if (found := home(module, taken)) is not None and found != name
        }
        for name, path in files.items()
    }


def circles(graph: Graph) -> list[list[str]]:
    """Return the sets of modules that import one another in a circle, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in graph.get(module, set()):
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            circle = [stack.pop()]
            while circle[-1] != module:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return found


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_facade(path: Path) -> bool:
    """Return whether a module does nothing but repeat names from their homes."""
    return not any(
        isinstance(node, ast.FunctionDef | ast.ClassDef)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    ) and "__all__" in path.read_text(encoding="utf-8")


def _type_checked_and_plain_names(path: Path) -> dict[str, str]:
    return {
        alias.name: node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
