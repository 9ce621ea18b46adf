from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from reidcore.data.images.cache import PixelCache
from reidcore.data.images.store import words_of
from reidcore.data.transforms.resize import SizeRule

RULE, LARGER = SizeRule(40, 20), SizeRule(45, 23)
EACH = words_of(40, 20) * 8


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    return tmp_path / "images"


def _paths(name: str, count: int = 10) -> list[str]:
    return [f"/photos/{name}/{number}.jpg" for number in range(count)]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pixels"))


def test_off_makes_nothing(folder: Path) -> None:
    assert PixelCache().stores(_paths("a"), [RULE], False) == {}
    assert not folder.exists()


def test_a_file_for_each_list_size_and_way_of_decoding(folder: Path) -> None:
    cache = PixelCache("disk")
    made = [
        cache.stores(_paths("a"), [RULE, LARGER, RULE], False),
        cache.stores(_paths("b"), [RULE], False),
        cache.stores(_paths("a"), [RULE], True),
        cache.stores(_paths("a"), [SizeRule(40, 20, (1, 2, 3))], False),
    ]
    assert [list(stores) for stores in made[:2]] == [[RULE, LARGER], [RULE]]
    assert len(_files(folder)) == 5
    again = PixelCache("disk").stores(_paths("a"), [RULE], False)
    assert len(again[RULE]) == 10
    assert len(_files(folder)) == 5


def test_relative_paths_of_two_places_are_not_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        PixelCache("disk").stores(["a.jpg"], [RULE], False)
    assert len(_files(folder)) == 2


@pytest.mark.parametrize("kind", ["ram", "disk"])
def test_the_bound_is_kept_and_told(
    kind: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = PixelCache(kind, 14 * EACH / 1e9)
    with caplog.at_level(logging.INFO, "reidcore"):
        first = cache.stores(_paths("a"), [RULE], False)
        second = cache.stores(_paths("b"), [RULE], False)
        third = cache.stores(_paths("c"), [RULE], False)
    assert (len(first[RULE]), len(second[RULE]), third) == (10, 4, {})
    assert "4 of 10 images at 40x20; raise data.cache_gb" in caplog.text
    assert sum(path.stat().st_size for path in _files(folder)) <= 14 * EACH


@pytest.mark.parametrize("kind", ["ram", "disk"])
def test_a_list_that_is_asked_for_twice_has_one_store(kind: str) -> None:
    cache = PixelCache(kind, 10 * EACH / 1e9)
    first = cache.stores(_paths("a"), [RULE], False)
    assert cache.stores(_paths("a"), [RULE], False)[RULE] is first[RULE]
    assert len(first[RULE]) == 10


def test_old_stores_make_room_unless_they_are_in_use(folder: Path) -> None:
    bound = 25 * EACH / 1e9
    for age, name in enumerate(("oldest", "old", "held")):
        stores = PixelCache("disk").stores(_paths(name), [RULE], False)
        (file,) = (path for path in _files(folder) if path.stat().st_mtime > 1e6)
        os.utime(file, (age + 1, age + 1))
    held = stores
    del stores
    made = PixelCache("disk", bound).stores(_paths("new"), [RULE], False)
    assert len(made[RULE]) == 10
    ages = sorted(path.stat().st_mtime for path in _files(folder))
    assert ages[0] == 3  # the two oldest are gone
    assert len(ages) == 2
    assert held


def test_without_a_home_folder_images_are_read_from_their_files(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_home(path: Path) -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("REIDCORE_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", no_home)
    cache = PixelCache("disk")
    assert cache.stores(_paths("a"), [RULE], False) == cache.stores(_paths("b"), [RULE], False)
    assert cache.stores(_paths("a"), [RULE], False) == {}
    (record,) = caplog.records
    assert "there is no home folder" in record.getMessage()
