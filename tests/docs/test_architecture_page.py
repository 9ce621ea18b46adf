"""docs/architecture.md draws the house as it is."""

from __future__ import annotations

import re
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/architecture.py")


def test_the_page_is_the_one_that_make_docs_would_write(generator) -> None:
    page = generator.PAGE.read_text(encoding="utf-8")
    assert page == generator.rewritten(page, generator.blocks())
    for name in generator.blocks():
        assert page.count(f"<!-- {name}: ") == page.count(f"<!-- end of {name} -->") == 1


def test_every_file_says_what_it_is_for(generator) -> None:
    assert re.findall(r"^\| `[\w.]+` \|  \|$", generator.files(), re.M) == []


def test_files_that_the_prose_names_are_there(generator, checkout) -> None:
    prose = generator.PAGE.read_text(encoding="utf-8").partition("## Every file")[0]
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.]+)`", prose)) - {"timm/NAME"}
    rooms = (checkout, checkout / "reidcore")
    assert named == {name for name in named if any((room / name).exists() for room in rooms)}
    assert len(named) > 30
