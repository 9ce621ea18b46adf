"""The table of keys in docs/configuration.md is the schema's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from reidcore.config import Config, read_config, resolved
from reidcore.plugins import make_plugins

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(?P<key>[\w.]+)`(?P<new> \+)? \| `(?P<default>[^`]*)` \| .+ \|$", re.M)


def documented() -> dict[str, object]:
    return _rows(PAGE.read_text(encoding="utf-8").partition("## All keys")[2])


def documented_of_components() -> dict[str, object]:
    page = PAGE.read_text(encoding="utf-8").partition("## Keys of the bundled components")[2]
    return _rows(page.partition("## All keys")[0])


def _rows(table: str) -> dict[str, object]:
    return {row["key"]: json.loads(row["default"]) for row in ROW.finditer(table)}


def defaults(section: BaseModel, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            found |= defaults(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def test_every_key_is_documented_once_in_the_schemas_order() -> None:
    assert list(documented()) == list(defaults(Config()))


@pytest.mark.parametrize("key", documented())
def test_a_documented_default_is_the_schemas(key: str) -> None:
    assert documented()[key] == defaults(Config())[key]


def test_keys_of_the_bundled_optimizers_and_losses_are_their_factories() -> None:
    tree = resolved(read_config(None).config, make_plugins())
    sections = {name: tree[name] for name in ("sgd", "rmsprop", "adam")}
    sections |= {f"loss.{name}": tree["loss"][name] for name in ("softmax", "triplet")}
    declared = {
        f"{section}.{key}": default
        for section, keys in sections.items()
        for key, default in keys.items()
    }
    assert documented_of_components().items() <= declared.items()
    assert {key.rpartition(".")[0] for key in documented_of_components()} == set(sections)
