"""Source is read, never run."""

from __future__ import annotations

import ast

import pytest

from reidcore._source import docstring, imports, is_module, parse, source_files, summary

BOOM = "raise RuntimeError('imported')\n"


@pytest.fixture
def package(site):
    site.write("shop.tools.split", f'"""Splits."""\n{BOOM}\ndef split():\n    """Cut in two."""\n')
    for name in ("shop/__init__.py", "shop/tools/__init__.py"):
        (site.folder / name).write_text(f'"""A package."""\n{BOOM}')
    return site


def test_a_docstring_is_found_without_importing_anything_above_it(package) -> None:
    assert docstring("shop.tools.split:split") == "Cut in two."
    assert docstring("shop.tools.split") == "Splits."
    assert docstring("shop.tools") == "A package."


@pytest.mark.parametrize(
    "target",
    ["gone", "gone:f", "shop.gone", "shop.tools.split.deeper", "shop.tools.split:gone", "math:pi"],
)
def test_what_is_not_there_has_no_docstring(package, target) -> None:
    assert docstring(target) == ""


def test_a_name_is_followed_to_where_it_is_defined(package) -> None:
    text = "from shop.tools.split import split as cut\nfrom shop.front import loop\n"
    (package.folder / "shop" / "front.py").write_text(text)
    assert docstring("shop.front:cut") == "Cut in two."
    assert docstring("shop.front:loop") == ""


def test_source_that_is_no_python_has_no_docstring(site) -> None:
    site.write("torn", "def (")
    assert docstring("torn:f") == ""
    assert parse(site.folder / "torn.py") is None
    assert parse(site.folder / "gone.py") is None


def test_a_summary_is_one_line() -> None:
    assert summary("First\n    goes on.\n\n    More.") == "First goes on."
    assert summary("") == ""


def test_files_of_a_module_and_of_a_package(package) -> None:
    found = source_files("shop")
    assert [file.name for file in found] == ["__init__.py", "__init__.py", "split.py"]
    assert [file.name for file in source_files("shop.tools.split")] == ["split.py"]
    assert source_files("gone") == []
    assert source_files("math") == []
    assert is_module("shop.tools")
    assert not is_module("shop.gone")


def test_imports_within_functions_count() -> None:
    tree = ast.parse("import a.b\ndef f():\n    from c import d, e\n    from . import g\n")
    assert sorted(imports(tree)) == ["a.b", "c", "c.d", "c.e"]
