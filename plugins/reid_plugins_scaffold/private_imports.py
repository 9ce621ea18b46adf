"""Which private modules of reidcore a plugin imports, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from pkgutil import iter_modules

_CORE = find_spec("reidcore")
assert _CORE is not None
_PUBLIC = (
    module.name
    for module in iter_modules(_CORE.submodule_search_locations)
    if not module.name.startswith("_") and module.name != "hookspecs"
)
FACADES = frozenset({"reidcore", *(f"reidcore.{name}" for name in _PUBLIC)})
"""The public modules: what their ``__all__`` names is public, modules below them are not."""


def private_imports(module: str) -> list[str]:
    """Return the private modules of reidcore that a plugin's package imports, sorted.

    They work, and may change or go with any release.

    Args:
        module: the plugin's module; whatever is in the same package counts.
    """
    named = {name for file in _files_of(module) for name in _imports(file)}
    return sorted(
        name
        for name in named - FACADES
        if name.startswith("reidcore.") and is_module(name) and not _leads_deeper(name, named)
    )


def is_module(name: str) -> bool:
    """Say whether there is a module of that dotted name."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _files_of(module: str) -> list[Path]:
    """Return the source of a module, or of all in the outermost package with files of its own."""
    above = accumulate(module.split("."), lambda package, name: f"{package}.{name}")
    specs = [find_spec(name) for name in above if is_module(name)]
    with_file = [spec for spec in specs if spec and str(spec.origin).endswith(".py")]
    if not with_file:
        return []
    folders = with_file[0].submodule_search_locations
    if folders is None:
        return [Path(str(with_file[0].origin))]
    return sorted(file for folder in folders for file in Path(folder).rglob("*.py"))


def _imports(file: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, for type checking alone or not.

    ``from a import b`` yields ``a`` and ``a.b``, which may be a module.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _leads_deeper(name: str, named: set[str]) -> bool:
    """Say whether a name is only the way to a deeper module: ``from reidcore.a import b``."""
    return any(other.startswith(f"{name}.") and is_module(other) for other in named)
