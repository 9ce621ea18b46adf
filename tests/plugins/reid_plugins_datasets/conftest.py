"""Miniature benchmarks on disk, each made once, and what reference readers give for them."""

from __future__ import annotations

import importlib.util
import json
import lzma
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest

DATA = Path(__file__).parents[2] / "fixtures" / "datasets"


@dataclass(frozen=True)
class Planted:
    """A miniature benchmark.

    Attributes:
        root: the data root.
        images: its pictures, relative to the root.
    """

    root: Path
    images: tuple[str, ...]


Plant: TypeAlias = Callable[..., Planted]


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_trees", DATA / "make_trees.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def plant_tree(root: Path, layout: str, seed: int = 0) -> Planted:
    maker = load_maker()
    made: list[str] = []

    @cache
    def folder(path: Path) -> Path:
        path.mkdir(parents=True, exist_ok=True)
        return path

    class Noted(maker.Tree):  # type: ignore[misc, name-defined]
        def path(self, rel: str) -> Path:
            path = self.root / rel
            return folder(path.parent) / path.name

        def image(self, rel: str, w: int = 16, h: int = 32) -> None:
            # Readers look at names alone. The pixels are drawn, as the next name depends on it.
            self.pixels(w, h)
            self.path(rel).touch()
            made.append(rel)

        def copy(self, src: str, dst: str) -> None:
            super().copy(src, dst)
            made.append(dst)

    maker.MAKERS[layout](Noted(root, layout, seed))
    return Planted(root, tuple(made))


def put_split_file(root: Path, record: dict[str, Any]) -> None:
    """Write the split that Torchreid drew and keeps where it finds it again."""
    stored = record["split_file"]
    text = json.dumps(stored["splits"]).replace("{ROOT}", str(root))
    (root / stored["path"]).write_text(text)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Make ``planted(layout, seed)`` once: to be read only; Torchreid's split file is not there."""

    @cache
    def make(layout: str, seed: int = 0) -> Planted:
        return plant_tree(tmp_path_factory.mktemp(layout), layout, seed)

    return make


@pytest.fixture
def plant(planted: Plant, tmp_path: Path) -> Plant:
    """Copy ``plant(layout, seed)`` to ``tmp_path / layout``, to be spoilt at will."""

    def copy(layout: str, seed: int = 0) -> Planted:
        tree = planted(layout, seed)
        root = tmp_path / layout
        shutil.copytree(tree.root, root, copy_function=copy_or_link)
        return Planted(root, tree.images)

    return copy


def copy_or_link(source: str, target: str) -> None:
    """Link what nobody writes into, which is quicker."""
    if source.endswith((".mat", ".txt", ".json", ".xml")):
        shutil.copy(source, target)
    else:
        os.link(source, target)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], dict[str, Any]]:
    """Read ``recorded(layout)``: what the reference reader gives for seed 0."""

    @cache
    def read(layout: str) -> dict[str, Any]:
        path = DATA / "expected_seed0" / f"{layout}.json.xz"
        document: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
        return document

    return read


@pytest.fixture(scope="session")
def used_root(
    planted: Plant,
    tmp_path_factory: pytest.TempPathFactory,
    recorded: Callable[[str], dict[str, Any]],
) -> Callable[[str], Path]:
    """Make ``used_root(layout)`` once: a data root of seed 0 that Torchreid has used before.

    Archives are unpacked, and Torchreid's split file is there.
    """

    @cache
    def make(layout: str) -> Path:
        root = tmp_path_factory.mktemp(layout) / "used"
        shutil.copytree(planted(layout).root, root, copy_function=copy_or_link)
        for archive in root.rglob("*.zip"):
            zipfile.ZipFile(archive).extractall(archive.parent)
        if "split_file" in recorded(layout):
            put_split_file(root, recorded(layout))
        return root

    return make
