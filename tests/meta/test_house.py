"""House rules that a linter does not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TEXT = {".py", ".pyx", ".pyi", ".c", ".h", ".md", ".yaml", ".yml", ".toml", ".txt", ".cfg", ""}
PACKAGES = ("reidcore", "reid_plugins_", "plugins", "examples")
MEGABYTE = 1_000_000
# Spelled in pieces, so that this file does not break its own rules.
UNFINISHED = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b"
)
MACHINE = re.compile(
    "|".join([r"(?<![\w.])/" + "work/", r"(?<![\w.])/" + "root/", r"\.\./" + "shared"])
)


@pytest.fixture(scope="module")
def sources(committed, checkout) -> dict[str, str]:
    """The text of every committed text file, but recorded data."""
    return {
        str(path.relative_to(checkout)): path.read_text()
        for path in committed
        if path.suffix in TEXT and not path.is_relative_to(checkout / "tests" / "fixtures")
    }


@pytest.fixture(scope="module")
def code(sources) -> dict[str, str]:
    """The sources of the packages."""
    return {
        name: text
        for name, text in sources.items()
        if name.endswith(".py") and name.startswith(PACKAGES)
    }


def test_there_is_something_to_check(sources, code) -> None:
    assert {"README.md", "pyproject.toml", "Makefile"} <= sources.keys()
    assert {
        "reidcore/hookspecs.py",
        "plugins/reid_plugins_engines/__init__.py",
    } <= code.keys()


def test_only_the_command_line_prints(code) -> None:
    printing = [
        f"{name}:{node.lineno}"
        for name, text in code.items()
        if not name.startswith("reidcore/cli/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert printing == []


def test_a_file_is_read_in_one_sitting(code) -> None:
    lines = {name: len(text.splitlines()) for name, text in code.items()}
    # An architecture is one idea, whatever its length.
    models = (
        "reid_plugins_osnet/",
        "plugins/reid_plugins_transformers/",
        "plugins/reid_plugins_zoo/",
    )
    longer = {name: lines[name] for name in lines if lines[name] > 600}
    assert [name for name in longer if not name.startswith(models)] == []


def test_support_modules_at_the_top_of_the_core_are_marked(code) -> None:
    top = {Path(name).stem for name in code if re.fullmatch(r"reidcore/\w+\.py", name)}
    public = {"errors", "hookspecs", "losses", "metrics", "utils"}
    assert {name for name in top if not name.startswith("_")} == public


def test_the_core_stays_small(load_script) -> None:
    counting = load_script("tests/meta/count_lines.py")
    lines = counting.total(counting.core())
    assert counting.size() < 33_300
    assert lines.imports / lines.code < 0.135


def test_lines_are_told_apart(load_script) -> None:
    head = '"""What."""\n\nfrom __future__ import annotations\n\nimport os  # why\n\n'
    source = head + 'def f():\n    """Say."""\n    return (\n1\n    )\n'
    assert load_script("tests/meta/count_lines.py").count(source) == (11, 5, 1, 1)


def test_what_errors_hands_on_is_imported_from_there(code) -> None:
    other = re.compile(r"from reidcore\._wording import [^#\n]*\b(counted|quoted)\b")
    names = [name for name, text in code.items() if other.search(text)]
    assert names == ["reidcore/errors.py"]


def test_no_grab_bags(code) -> None:
    forbidden = {"helpers", "misc", "common", "utils"}
    stems = {name for name in code if forbidden & set(Path(name).with_suffix("").parts)}
    assert stems <= {"reidcore/utils.py"}


def test_nothing_is_left_unfinished(sources) -> None:
    assert [name for name, text in sources.items() if UNFINISHED.search(text)] == []


def test_no_place_of_one_machine_is_named(sources) -> None:
    assert [name for name, text in sources.items() if MACHINE.search(text)] == []


def test_files_stay_small(committed) -> None:
    assert [str(path) for path in committed if path.stat().st_size > MEGABYTE] == []


def test_nothing_that_was_built_is_committed(committed) -> None:
    built = {".so", ".pyc", ".whl", ".egg-info", ".o"}
    assert [str(path) for path in committed if path.suffix in built] == []


def test_tests_live_beside_what_they_test(committed, checkout) -> None:
    inits = [path for path in committed if path.is_relative_to(checkout / "tests")]
    assert [path for path in inits if path.name == "__init__.py"] == []


def test_every_package_of_the_core_says_what_it_is_for(code) -> None:
    silent = [
        name
        for name, text in code.items()
        if ast.get_docstring(ast.parse(text)) is None and text.strip()
    ]
    assert silent == []
