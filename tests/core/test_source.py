"""Source is read, never run."""

from __future__ import annotations

import pytest

from reidcore._source import docstring, parse, summary

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
