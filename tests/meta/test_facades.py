"""What is public is what the facades name, and bundled plugins live by it as third parties do."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reid_plugins_scaffold.private_imports import FACADES

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(
    path for folder in (ROOT, ROOT / "plugins") for path in folder.glob("reid_plugins_*")
)
GUESTS = [*PACKAGES, *sorted((ROOT / "examples").iterdir())]
# Bundled package -> those whose ``__all__`` it uses, as a third party would by a dependency.
USES: dict[str, set[str]] = {
    "reid_plugins_attributes": {"reid_plugins_extraction"},
    "reid_plugins_calibration": {"reid_plugins_export", "reid_plugins_runs"},
    "reid_plugins_engines": {"reid_plugins_standard"},
    "reid_plugins_extraction": {"reid_plugins_export", "reid_plugins_tracks"},
    "reid_plugins_inspect": {"reid_plugins_datasets"},
    "reid_plugins_link": {"reid_plugins_calibration", "reid_plugins_runs", "reid_plugins_tracks"},
    "reid_plugins_metric_learning": {"reid_plugins_engines"},
    "reid_plugins_own_data": {
        "reid_plugins_datasets",
        "reid_plugins_runs",
        "reid_plugins_tracks",
    },
    "reid_plugins_report": {
        "reid_plugins_inspect",
        "reid_plugins_runs",
        "reid_plugins_standard",
    },
    "reid_plugins_runs": {"reid_plugins_datasets", "reid_plugins_standard"},
    "reid_plugins_start": {
        "reid_plugins_own_data",
        "reid_plugins_runs",
    },
    "reid_plugins_timm": {"reid_plugins_transformers"},
    "reid_plugins_writers": {"reid_plugins_runs"},
}

IMPORT = re.compile(r"^\s*(?:from\s+(reid[\w.]+)\s+import\s+([^\n]+)|import\s+(reid[\w.]+))", re.M)
TARGET = re.compile(r"^(reid(?:core|_plugins)[\w.]*):(\w+)")


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the modules of reidcore and of bundled packages that a file names, with the names.

    What only type checkers read counts too. A template of a package is no Python yet.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".in":
        for module, names, whole in IMPORT.findall(text):
            yield from (
                ((module, name) for name in re.findall(r"\w+", names)) if module else [(whole, "")]
            )
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.Constant) and (found := TARGET.match(str(node.value))):
            yield found[1], found[2]


def files(guest: Path) -> list[Path]:
    return sorted([*guest.rglob("*.py"), *guest.rglob("*.py.in")])


def is_public(module: str, name: str) -> bool:
    """Return whether a facade has that name, or is it."""
    if f"{module}.{name}" in FACADES:
        return True
    return module in FACADES and name in importlib.import_module(module).__all__


@pytest.mark.parametrize("facade", sorted(FACADES))
def test_a_facade_has_what_it_names_and_names_it_once(facade) -> None:
    module = importlib.import_module(facade)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize("facade", sorted(FACADES))
def test_a_facade_names_all_that_it_imports_for_others(facade) -> None:
    """A lazy facade reads its names from its imports: the two lists are one."""
    module = importlib.import_module(facade)
    path = Path(str(module.__file__))
    if path.stem not in ("__init__", "losses", "metrics", "utils") or facade == "reidcore":
        return
    repeated = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module not in ("__future__", "typing", "reidcore._lazy")
        for alias in node.names
    }
    assert repeated == set(module.__all__)


@pytest.mark.parametrize("guest", GUESTS, ids=lambda path: path.name)
def test_guests_import_nothing_deeper_than_a_facade(guest) -> None:
    deeper = [
        f"{path.relative_to(ROOT)}: {module} {name}".rstrip()
        for path in files(guest)
        for module, name in imported(path)
        if module.split(".")[0] == "reidcore" and not is_public(module, name)
    ]
    assert deeper == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_bundled_packages_use_one_another_where_it_is_declared(package) -> None:
    used = {
        (module, name)
        for path in files(package)
        for module, name in imported(path)
        if module.startswith("reid_plugins_") and module.split(".")[0] != package.name
    }
    assert {module.split(".")[0] for module, _ in used} == USES.get(package.name, set())
    for module, name in used:
        assert name in importlib.import_module(module).__all__


def test_declared_uses_run_in_no_circle(import_graph) -> None:
    assert import_graph.circles(USES) == []


def test_deeper_imports_are_seen_wherever_they_stand(tmp_path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from reidcore.engine.step import StepOutcome\n"
        "def f():\n    from reidcore import registry\n    return 'reidcore.data.sample:Sample'\n"
    )
    template = tmp_path / "module.py.in"
    template.write_text("from reidcore._files import read_json\nclass ${Name}: ...\n")
    assert [pair for pair in imported(module) if not is_public(*pair)][1:] == [
        ("reidcore.engine.step", "StepOutcome"),
        ("reidcore.data.sample", "Sample"),
    ]
    assert [pair for pair in imported(template) if not is_public(*pair)] == [
        ("reidcore._files", "read_json")
    ]
