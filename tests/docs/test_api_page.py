"""docs/api.md lists every public name, and says something about each."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
from reid_plugins_scaffold.private_imports import FACADES


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/api.py")


def test_the_page_is_the_one_that_make_docs_would_write(generator) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page()


def test_every_public_name_says_what_it_is(generator) -> None:
    silent = [
        f"{facade}.{name}"
        for facade in generator.STABLE
        for name, text in generator.documented(importlib.import_module(facade))
        if not text
    ]
    assert silent == []


def test_every_facade_has_a_section(generator) -> None:
    assert generator.STABLE.keys() == FACADES


def test_a_name_that_is_called_stable_is_public(generator) -> None:
    for facade, names in generator.STABLE.items():
        assert set(names.split()) <= set(importlib.import_module(facade).__all__)
