"""Every public name of Torchreid 1.4 has a home, or a word on what to do without it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from reid_plugins_migrate.imports.names import Absent, Home, below_package, torchreid_names

import reidcore.utils

# Module -> the names that it defines, read from Torchreid's source by ast.
PUBLIC = json.loads(
    (Path(__file__).parents[3] / "fixtures" / "torchreid_names.json").read_text(encoding="utf-8")
)
NAMES = torchreid_names()


def path(module: str, name: str) -> tuple[str, ...]:
    return (*filter(None, module.split(".")), name)


def test_every_module_is_in_the_table_and_no_other() -> None:
    assert set(NAMES.modules) == set(PUBLIC)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_name_is_found(module) -> None:
    found = {name: NAMES.find(path(module, name)) for name in PUBLIC[module]}
    assert [name for name, each in found.items() if each is None] == []
    for name, each in found.items():
        if isinstance(each, Absent):
            assert each.advice.endswith("."), name
        elif isinstance(each, Home):
            assert hasattr(importlib.import_module(each.module), each.name)


def test_what_the_table_names_is_torchreids() -> None:
    by_hand = {"ColorJitter", "Compose", "Normalize", "RandomHorizontalFlip", "Resize", "ToTensor"}
    for module, public in PUBLIC.items():
        own = set(NAMES.absent(module)) - {"*"}
        gathered = {name for each in PUBLIC for name in PUBLIC[each]} | by_hand
        assert own <= set(public) | {"IS_CYTHON_AVAI"}
        assert set(NAMES.homes(module)) <= gathered


def test_what_scripts_import_of_utils_is_in_utils() -> None:
    homes = NAMES.homes("utils")
    assert {home.module for home in homes.values()} == {"reidcore.utils"}
    assert set(homes) <= set(reidcore.utils.__all__)


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("torchreid", ()),
        ("torchreid.reid.utils", ("utils",)),
        ("torchreid.models", ("models",)),
        ("torchreids.models", None),
        ("os.path", None),
    ],
)
def test_what_is_below_the_package(dotted, expected) -> None:
    assert below_package(dotted) == expected


def test_an_unknown_name_is_not_guessed() -> None:
    assert NAMES.find(("utils", "read_yaml")) is None
    assert NAMES.find(("losses", "OSNet")) is None
