"""The page of contracts says what the checks check."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from reid_plugins_scaffold.conformance.base import anchor_of
from reid_plugins_scaffold.conformance.checking import CLASSES, class_of


@pytest.fixture(scope="module")
def generator(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("docs/generate/contracts.py")


def test_the_page_is_the_one_that_make_docs_would_write(generator: ModuleType) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page()


def test_each_kind_has_the_place_that_broken_contracts_name(generator: ModuleType) -> None:
    text = generator.PAGE.read_text(encoding="utf-8").lower()
    assert [kind for kind in CLASSES if f"\n## {anchor_of(class_of(kind))}\n" not in text] == []
