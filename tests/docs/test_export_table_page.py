"""docs/export-table.md tells which architectures become ONNX files, and is current."""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/export_table.py")


@pytest.fixture(scope="module")
def found(generator) -> Any:
    return json.loads(generator.FOUND.read_text("utf-8"))


def test_every_model_is_in_it_as_its_code_is_now(generator, found) -> None:
    needing = [entry.name for entry in generator.needing(found, generator.listed())]
    assert needing == [], "run: make export-table"


def test_the_page_has_what_was_found(generator, found) -> None:
    page = generator.PAGE.read_text("utf-8")
    assert page == generator.page(found, generator.listed(), page)


def test_it_was_made_with_the_versions_that_are_tested(found, checkout) -> None:
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (checkout / "constraints.txt").read_text(), re.M))
    for package, number in found["versions"].items():
        assert pins[package].split(".")[:2] == number.split(".")[:2], "run: make export-table"


def test_a_change_of_code_is_seen_and_one_of_words_is_not(generator, tmp_path, monkeypatch) -> None:
    sources = {
        "plain": "x = 1\n",
        "worded": '"""Say."""\n\nx = 1  # why\n',
        "changed": "x = 2\n",
    }
    hashes = {}
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, source in sources.items():
        (tmp_path / f"{name}_model.py").write_text(source)
        hashes[name] = generator._code(f"{name}_model")
    assert hashes["plain"] == hashes["worded"] != hashes["changed"]


@pytest.mark.parametrize("name", ["osnet_x0_25", "squeezenet1_1"])
def test_a_model_becomes_what_the_table_says(generator, found, name) -> None:
    (entry,) = [each for each in generator.listed() if each.name == name]
    made, known = generator.exported(entry), found["models"][name]
    assert "why" not in made
    for key in ("code", "size", "feature_dim"):
        assert made[key] == known[key]
    assert made["bytes"] == pytest.approx(known["bytes"], rel=0.05)
