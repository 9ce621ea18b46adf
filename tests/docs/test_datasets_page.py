"""docs/datasets.md says what the cards of the bundled datasets say."""

from __future__ import annotations

from types import ModuleType

import pytest

from reidcore.registry import entries


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/datasets.py")


def test_the_page_is_the_one_that_make_docs_would_write(checkout, generator) -> None:
    bundled = [entry for entry in entries("datasets") if entry.distribution == "reidcore"]
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(bundled)
    for entry in bundled:
        assert f"(`{entry.name}`)\n" in generator.page(bundled)
