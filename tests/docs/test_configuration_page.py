"""The table of keys in docs/configuration.md is the schema's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from reidcore.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(?P<key>[\w.]+)`(?P<new> \+)? \| `(?P<default>[^`]*)` \| .+ \|$", re.M)


def documented() -> dict[str, object]:
    table = PAGE.read_text(encoding="utf-8").partition("## All keys")[2]
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
