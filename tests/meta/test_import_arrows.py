"""Imports go one way, function-level ones included; ``if TYPE_CHECKING`` blocks are free."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "reidcore"
PLUGIN_PACKAGES = sorted(
    path for folder in (ROOT, ROOT / "plugins") for path in folder.glob("reid_plugins_*")
)

# A part of the core -> what it may import. Files at the top of reidcore/ are parts by themselves.
BOTTOM = {"errors", "lazy", "files", "fetching", "package_files", "log", "layers", "serialization"}
PLUGGING = {"hookspecs", "defaults", "blame", "discovery", "plugins"}
NAMES = {"registry", "config"}
WORK = {"evaluation", "visual", "inference", "models", "data", "optim"}
FACADES = {"utils", "losses", "metrics", "bundled", "environment", "testing"}
ROOT_MODULE = "__init__"  # hookimpl and the version

BELOW_WORK = BOTTOM | PLUGGING | NAMES | {ROOT_MODULE}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "lazy": set(),
    "files": {"errors"},
    "fetching": {ROOT_MODULE, "errors", "files"},
    "package_files": {"errors"},
    "log": {"errors", "files"},
    "layers": BOTTOM,
    "serialization": BOTTOM,
    "blame": set(),
    "hookspecs": {ROOT_MODULE},
    "discovery": BOTTOM,
    # The plugin that register_image_dataset fills is named, as an entry point names a plugin.
    "plugins": BOTTOM | PLUGGING | {ROOT_MODULE, "data"},
    "registry": BOTTOM | PLUGGING | {ROOT_MODULE},
    "config": BELOW_WORK,
    "configs": set(),
    # Like every plugin it names its components, to be imported when they are used.
    "standard": {ROOT_MODULE, "data", "optim", "evaluation"},
    # The core's own answers reach up to what they answer with, inside their functions.
    "defaults": {ROOT_MODULE, "engine", "evaluation"},
    "evaluation": BELOW_WORK,
    "models": BELOW_WORK,
    "data": BELOW_WORK,
    "optim": BELOW_WORK,
    "visual": BELOW_WORK | {"evaluation", "data"},
    "inference": BELOW_WORK | {"models", "data"},
    "environment": {ROOT_MODULE, "data", "evaluation"},
    "engine": BELOW_WORK | WORK | {"environment", "bundled"},
    "scaffold": BELOW_WORK,
    "cli": BELOW_WORK | WORK | {"engine", "environment", "bundled", "scaffold"},
    "testing": BELOW_WORK | WORK | {"engine"},
    "bundled": {"lazy"},
    # Facades only repeat names from their real homes.
    "utils": BOTTOM | WORK | {"engine", "environment", "lazy"},
    "losses": BOTTOM | {"bundled"},
    "metrics": BOTTOM | {"evaluation"},
    "__main__": {"cli"},
    ROOT_MODULE: set(),
}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from statements(child)


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, or names as targets ``"module:attribute"``."""
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = re.fullmatch(r"(reid(?:core|_plugins)[\w.]*):[\w.]+", node.value)
            if found:
                yield found[1]


def part_of(path: Path) -> str:
    inside = path.relative_to(CORE)
    return inside.parts[0].removesuffix(".py")


def part_named(module: str) -> str | None:
    """Return the part of the core that an imported name belongs to."""
    package, _, rest = module.partition(".")
    if package != "reidcore":
        return None
    part = rest.split(".")[0]
    if (CORE / part).is_dir() or (CORE / f"{part}.py").is_file():
        return part or ROOT_MODULE
    return ROOT_MODULE


def imported_parts(path: Path) -> set[str]:
    named = set(imports(path))
    # "from reidcore import data" also yields "reidcore": only the deeper name says what is meant.
    deeper = {name for name in named if name.startswith("reidcore.")}
    shallow = {"reidcore"} if "reidcore" in named and not deeper else set()
    return {part for name in deeper | shallow if (part := part_named(name)) is not None}


@pytest.mark.parametrize(
    "path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE))
)
def test_the_core_imports_downwards(path) -> None:
    part = part_of(path)
    assert part in ALLOWED, f"say in this test what reidcore/{part} may import"
    assert imported_parts(path) - {part} <= ALLOWED[part]


def test_the_core_names_plugin_packages_in_one_place_and_imports_none() -> None:
    naming = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        if any("reid_plugins_" in name for name in imports(path))
        or any(
            isinstance(node, ast.Constant) and re.search(r"reid_plugins_\w+[.:]", str(node.value))
            for node in statements(ast.parse(path.read_text()))
        )
    }
    assert naming == {"bundled.py"}
    assert not [
        name
        for path in CORE.rglob("*.py")
        for node in statements(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [ast.unparse(node)]
        if "reid_plugins_" in name
    ]


@pytest.mark.parametrize("package", PLUGIN_PACKAGES, ids=lambda path: path.name)
def test_plugin_packages_import_the_core_and_themselves(package) -> None:
    files = sorted(package.rglob("*.py"))
    assert files
    foreign = {
        f"{path.name}: {name}"
        for path in files
        for name in imports(path)
        if name.startswith("reid") and name.split(".")[0] not in ("reidcore", package.name)
    }
    assert foreign == set()


@pytest.mark.parametrize("package", PLUGIN_PACKAGES, ids=lambda path: path.name)
def test_plugin_packages_do_not_reach_into_the_command_line(package) -> None:
    named = {name for path in package.rglob("*.py") for name in imports(path)}
    assert not {name for name in named if name.startswith("reidcore.cli")}


def test_the_bottom_knows_nobody() -> None:
    for name in BOTTOM:
        path = CORE / f"{name}.py"
        if path.is_file():
            assert imported_parts(path) <= BOTTOM | {ROOT_MODULE}


def test_what_plugins_and_the_standard_components_name_is_not_imported_there() -> None:
    for name in ("plugins", "standard"):
        tree = ast.parse((CORE / f"{name}.py").read_text())
        written = [
            ast.unparse(node)
            for node in statements(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not [line for line in written for part in WORK if f"reidcore.{part}" in line]


def test_function_level_imports_are_seen(tmp_path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from reidcore.engine import Engine\n"
        "def f():\n    from reidcore import models\n    return 'reidcore.data.sample:Sample'\n"
    )
    assert imported_parts(path) == {"models", "data"}
