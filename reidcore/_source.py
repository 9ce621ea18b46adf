"""Read what Python source says without importing it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

_MAX_REEXPORTS = 5


def docstring(target: str) -> str:
    """Return the docstring of a module, ``"package.module"``, or of a name in one, ``"module:f"``.

    A name that the module imports from another is followed there. The result is empty where there
    is no source, no such name or no docstring.
    """
    module, _, attribute = target.partition(":")
    for _ in range(_MAX_REEXPORTS):
        tree = _parsed(module)
        if tree is None:
            return ""
        if not attribute:
            return ast.get_docstring(tree) or ""
        definition = _defined(tree, attribute)
        if definition is not None:
            return ast.get_docstring(definition) or ""
        origin = _origin(tree, attribute)
        if origin is None:
            return ""
        module, attribute = origin
    return ""


def summary(text: str) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())


def parse(path: Path) -> ast.Module | None:
    """Return a file's syntax tree, or None if it cannot be read or is no Python."""
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _has_file(module: str) -> bool:
    """Say whether a module has source of its own, which a namespace package has not."""
    spec = _find_spec(module)
    return spec is not None and spec.origin is not None and spec.origin.endswith(".py")


def _find_spec(module: str) -> ModuleSpec | None:
    """Find a module; unlike `importlib.util.find_spec` without importing the packages above it."""
    name, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


@lru_cache(maxsize=64)
def _parsed(module: str) -> ast.Module | None:
    spec = _find_spec(module)
    return parse(Path(spec.origin)) if spec and spec.origin and _has_file(module) else None


def _defined(
    tree: ast.Module, name: str
) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
            node.name == name
        ):
            return node
    return None


def _origin(tree: ast.Module, name: str) -> tuple[str, str] | None:
    """Return the module and the name that an imported name comes from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return node.module, alias.name
    return None
