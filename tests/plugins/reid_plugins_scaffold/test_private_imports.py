"""What a plugin imports of reidcore beyond what is public."""

from __future__ import annotations

import json

import pytest
from reid_plugins_scaffold.private_imports import FACADES, is_module, private_imports

import reidcore
from reidcore._lazy import load_target

PRIVATE = """
    from typing import TYPE_CHECKING

    import reidcore.data.sample
    from reidcore import _lazy, data, hookimpl
    from reidcore.data import Splits, folders
    from reidcore.models.weights import load_pretrained_weights

    if TYPE_CHECKING:
        from reidcore.registry.entry import Entry

    @hookimpl
    def reid_register_datasets(registry):
        from reidcore._files import atomic_write
"""
FOUND = [
    "reidcore._files",
    "reidcore._lazy",
    "reidcore.data.folders",
    "reidcore.data.sample",
    "reidcore.models.weights",
    "reidcore.registry.entry",
]


@pytest.mark.parametrize("module", ["nosy", "company.nosy.deep.plugin"])
def test_every_import_below_a_facade_is_found(site, module) -> None:
    site.write(module, PRIVATE)
    if "company" in module:
        (site.folder / "company" / "__init__.py").unlink()  # shared by many packages
        site.write("company.other", "import reidcore.plugins.manager\n")
        (site.folder / "company" / "__init__.py").unlink()
    assert private_imports(module) == FOUND


def test_what_is_public_is_no_matter(site) -> None:
    site.write("polite", "from reidcore import data, hookimpl\nfrom reidcore.cli import Session\n")
    assert private_imports("polite") == []
    assert private_imports("math") == []
    assert private_imports("gone") == []


def test_the_facades_are_there_and_say_what_is_public() -> None:
    for name in FACADES:
        assert is_module(name)
        assert name == "reidcore" or load_target(name).__name__ == name
    assert reidcore.__all__


def test_it_works_and_is_told_on_request(reidcore, site) -> None:
    site.install_module("nosy", PRIVATE)
    done = reidcore("plugins", "--verbose", path=site.folder)
    assert (done.returncode, done.stderr) == (0, "")
    blocks = done.stdout.split("nosy (nosy 1.0): active\n")
    assert blocks[1].splitlines()[:4] == [
        "  module: nosy",
        "  hooks: reid_register_datasets",
        f"  private modules of reidcore: {', '.join(FOUND)}",
        "    These work, and may change or go with any release.",
    ]
    assert "publishes: reid_check_data" in done.stdout
    rows = json.loads(reidcore("plugins", "--verbose", "--json", path=site.folder).stdout)
    by_name = {row["name"]: row for row in rows}
    assert by_name["nosy"]["private_imports"] == FOUND
    assert by_name["inspect"]["publishes"] == ["reid_check_data"]
