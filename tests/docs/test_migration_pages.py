"""The table of docs/migrate-from-torchreid.md is the one that ``migrate imports`` goes by."""

from __future__ import annotations

from types import ModuleType

import pytest
from reid_plugins_migrate.imports.names import torchreid_names


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/torchreid.py")


def test_the_page_has_the_table_that_make_docs_would_write(generator) -> None:
    page = generator.PAGE.read_text(encoding="utf-8")
    assert page == generator.rewritten(page, generator.table(torchreid_names()))
    assert page.count(generator.BEGIN) == page.count(generator.END) == 1


def test_every_module_with_names_has_a_row(generator) -> None:
    made = generator.table(torchreid_names())
    for module in ("data.transforms", "models.osnet", "utils.tools"):
        assert f"| `{module}` |" in made
    assert "`nasnetamobile` (`nasnetmobile`)" in made
