"""Imports go one way, function-level ones included; ``if TYPE_CHECKING`` blocks are free."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "reidcore"

# What reports on the machine looks at the rooms above; the other support modules know nobody.
REPORT = "_environment"
SUPPORT = {"errors", *(path.stem for path in CORE.glob("_[a-z]*.py"))} - {REPORT}
# Parts of the core from the bottom to the top: each imports what stands below it.
FLOORS = [
    {"__init__"},
    SUPPORT,
    {"hookspecs"},
    {"plugins"},
    {"registry"},
    {"config"},
    {"evaluation", "models", "data"},
    {"optim", "inference"},
    {REPORT},
    {"engine"},
    {"losses", "metrics", "utils"},
    {"testing"},
    {"cli"},
    {"__main__"},
]
BELOW = {
    part: set().union(*FLOORS[:floor]) for floor, parts in enumerate(FLOORS) for part in parts
} | {part: SUPPORT | {"__init__"} for part in SUPPORT}
# The core's own answers to hooks, and what a script registers, reach up inside their functions.
REACHING_UP = {
    "plugins/defaults.py": {"engine", "evaluation", "models", "optim"},
    "plugins/runtime.py": {"registry"},
}


@pytest.fixture(scope="module")
def parts(import_graph):
    """Return the parts of the core that a file imports."""

    def part(module: str, name: str) -> str | None:
        package, _, rest = module.partition(".")
        if package != "reidcore":
            return None
        candidate = rest.partition(".")[0] or name
        is_part = (CORE / candidate).is_dir() or (CORE / f"{candidate}.py").is_file()
        return candidate if candidate and is_part else "__init__"

    def parts(path: Path) -> set[str]:
        found = (part(module, name) for module, name in import_graph.imported_names(path))
        return {each for each in found if each is not None}

    return parts


@pytest.mark.parametrize(
    "path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE))
)
def test_the_core_imports_downwards(path, parts) -> None:
    inside = path.relative_to(CORE)
    part = inside.parts[0].removesuffix(".py")
    assert part in BELOW, f"say in this test where reidcore/{part} stands"
    allowed = BELOW[part] | REACHING_UP.get(inside.as_posix(), set())
    assert parts(path) - {part} <= allowed


def test_every_part_that_is_placed_is_there() -> None:
    there = {path.name.removesuffix(".py") for path in CORE.iterdir()}
    assert BELOW.keys() <= there
    assert all((CORE / name).is_file() for name in REACHING_UP)


def test_no_modules_import_one_another_in_a_circle(import_graph) -> None:
    assert import_graph.circles(import_graph.module_graph(CORE)) == []


def test_a_circle_through_functions_and_facades_is_seen(tmp_path, import_graph) -> None:
    shop = tmp_path / "shop"
    (shop / "room").mkdir(parents=True)
    (shop / "__init__.py").write_text("")
    (shop / "room" / "__init__.py").write_text(
        "from shop.room.desk import Desk\n__all__ = ['Desk']\n"
    )
    (shop / "room" / "desk.py").write_text("import shop.cellar\nclass Desk: ...\n")
    (shop / "cellar.py").write_text("def stairs():\n    from shop.room import Desk\n")
    graph = import_graph.module_graph(shop)
    assert import_graph.circles(graph) == [["shop.cellar", "shop.room.desk"]]


def test_function_level_imports_and_targets_are_seen(tmp_path, parts) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from reidcore.engine import Engine\n"
        "def f():\n    from reidcore import models\n    return 'reidcore.data.sample:Sample'\n"
    )
    assert parts(path) == {"models", "data"}


def test_the_core_names_plugin_packages_in_one_place_and_imports_none(import_graph) -> None:
    importing = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        for module, _ in import_graph.imported_names(path)
        if module.startswith("reid_plugins_")
    }
    assert importing == set()
    naming = {
        path.relative_to(CORE).as_posix()
        for path in CORE.rglob("*.py")
        if re.search(r"\breid_plugins_\w+", "\n".join(_code_strings_and_imports(path)))
    }
    assert naming == {"plugins/bundled.py"}


def _code_strings_and_imports(path: Path) -> list[str]:
    """Return the import statements of a file and its strings that are targets."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (
            isinstance(node, ast.Constant)
            and re.search(r"reid_plugins_\w+[.:]", str(node.value)) is not None
        )
    ]
