"""docs/datasets.md says what the cards of the bundled datasets say."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from reidcore.registry import entries


@pytest.fixture(scope="module")
def generator(checkout) -> ModuleType:
    path = checkout / "docs" / "generate" / "datasets.py"
    spec = importlib.util.spec_from_file_location("generate_datasets_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_that_make_docs_would_write(checkout, generator) -> None:
    bundled = [entry for entry in entries("datasets") if entry.distribution == "reidcore"]
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(bundled)
    for entry in bundled:
        assert f"(`{entry.name}`)\n" in generator.page(bundled)
