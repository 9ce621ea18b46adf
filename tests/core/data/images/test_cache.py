from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reidcore.data.images.cache import (
    DiskStore,
    FileMark,
    MemoryStore,
    PixelCache,
    PixelStore,
    remove_unused,
    words_of,
)
from reidcore.data.images.reading import VIEWER
from reidcore.data.transforms.resize import SizeRule

RULE, LARGER = SizeRule(40, 20), SizeRule(45, 23)
EACH = words_of(40, 20) * 8
MARK = FileMark(1234, 5_000_000_000)


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
        cache.stores(_paths("a"), [RULE], False, VIEWER),
        cache.stores(_paths("a"), [RULE], False, VIEWER._replace(value_range=(0.0, 1.0))),
    ]
    assert [list(stores) for stores in made[:2]] == [[RULE, LARGER], [RULE]]
    assert len(_files(folder)) == 7
    again = PixelCache("disk").stores(_paths("a"), [RULE], False)
    assert len(again[RULE]) == 10
    assert len(_files(folder)) == 7


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


def _pixels(seed: int, height: int = 7, width: int = 5) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(params=["disk", "forked", "spawned"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PixelStore:
    if request.param == "disk":
        return DiskStore(tmp_path / "a.pixels", 4, 7, 5)
    return MemoryStore(4, 7, 5, forked=request.param == "forked")


def test_what_was_written_is_read_under_its_mark_alone(store: PixelStore) -> None:
    assert len(store) == 4
    assert store.read(2, MARK) is None
    store.write(2, MARK, _pixels(0))
    np.testing.assert_array_equal(store.read(2, MARK), _pixels(0))
    assert store.read(1, MARK) is None
    assert store.read(2, MARK._replace(changed=MARK.changed + 1)) is None
    assert store.read(2, MARK._replace(size=MARK.size + 1)) is None
    store.write(2, MARK._replace(size=99), _pixels(1))
    assert store.read(2, MARK) is None
    np.testing.assert_array_equal(store.read(2, MARK._replace(size=99)), _pixels(1))


def test_beyond_the_bound_nothing_is_kept(store: PixelStore) -> None:
    store.write(4, MARK, _pixels(0))
    assert store.read(4, MARK) is None


def test_a_black_image_of_an_empty_file_is_no_empty_entry(store: PixelStore) -> None:
    black, mark = np.zeros((7, 5, 3), dtype=np.uint8), FileMark(0, 0)
    assert store.read(0, mark) is None
    store.write(0, mark, black)
    np.testing.assert_array_equal(store.read(0, mark), black)


def test_a_file_older_than_1970_is_kept(store: PixelStore, tmp_path: Path) -> None:
    (tmp_path / "old.jpg").touch()
    os.utime(tmp_path / "old.jpg", ns=(-5_000_000_000, -5_000_000_000))
    mark = FileMark.of(str(tmp_path / "old.jpg"))
    assert mark is not None
    store.write(0, mark, _pixels(0))
    np.testing.assert_array_equal(store.read(0, mark), _pixels(0))


def test_a_child_process_shares_it(store: PixelStore) -> None:
    if hasattr(store, "_shared"):
        pytest.skip("shared by pickling, which test_reader covers with spawned workers")
    context = multiprocessing.get_context("fork")
    child = context.Process(target=store.write, args=(3, MARK, _pixels(8)))
    child.start()
    child.join()
    assert child.exitcode == 0
    np.testing.assert_array_equal(store.read(3, MARK), _pixels(8))


def _hammer(store: PixelStore, seed: int) -> None:
    """Write and read the same few entries as others do; exit with 1 where pixels are mixed up."""
    rng = np.random.default_rng(seed)
    for _ in range(400):
        number, content = int(rng.integers(2)), int(rng.integers(3))
        store.write(number, FileMark(content, 1), _pixels(content, 60, 50))
        number, content = int(rng.integers(2)), int(rng.integers(3))
        found = store.read(number, FileMark(content, 1))
        if found is not None and not np.array_equal(found, _pixels(content, 60, 50)):
            os._exit(1)
    os._exit(0)


@pytest.mark.parametrize("kind", ["disk", "ram"])
def test_processes_that_write_at_once_mix_nothing_up(kind: str, tmp_path: Path) -> None:
    if kind == "disk":
        store: PixelStore = DiskStore(tmp_path / "a.pixels", 2, 60, 50)
    else:
        store = MemoryStore(2, 60, 50, forked=True)
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_hammer, args=(store, seed)) for seed in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, words_of(7, 5) * 8 - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    store = PixelStore(np.zeros((1, words_of(7, 5)), dtype=np.uint64), 7, 5)
    store.write(0, MARK, _pixels(0))
    store.table.view(np.uint8)[0, place] ^= change
    assert store.read(0, MARK) is None


def test_swapped_or_half_written_pixels_are_noticed() -> None:
    table = np.zeros((2, words_of(7, 5)), dtype=np.uint64)
    store = PixelStore(table, 7, 5)
    store.write(0, MARK, _pixels(0))
    store.write(1, MARK, _pixels(1))
    half = table[0].copy()
    half[-5:] = table[1, -5:]
    swapped = table[0].copy()
    swapped[[4, 7]] = swapped[[7, 4]]
    for damaged in (half, swapped):
        table[0] = damaged
        assert store.read(0, MARK) is None


def test_damage_is_told_once_and_repaired(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.pixels"
    store = DiskStore(path, 2, 7, 5)
    for number in range(2):
        store.write(number, MARK, _pixels(number))
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    content[-30] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "reidcore"):
        assert store.read(0, MARK) is store.read(1, MARK) is None
    assert caplog.text.count("damaged") == 1
    store.write(0, MARK, _pixels(0))
    np.testing.assert_array_equal(store.read(0, MARK), _pixels(0))


def test_a_file_is_found_again_and_a_short_one_made_longer(tmp_path: Path) -> None:
    path = tmp_path / "a.pixels"
    store = DiskStore(path, 3, 7, 5)
    for number in range(3):
        store.write(number, MARK, _pixels(number))
    size = path.stat().st_size
    for again in (DiskStore(path, 3, 7, 5), pickle.loads(pickle.dumps(store))):
        np.testing.assert_array_equal(again.read(2, MARK), _pixels(2))
    del store, again
    os.truncate(path, size // 2)
    short = DiskStore(path, 3, 7, 5)
    assert path.stat().st_size == size
    np.testing.assert_array_equal(short.read(0, MARK), _pixels(0))
    assert short.read(2, MARK) is None


def test_a_full_disk_is_told_once_and_nothing_more_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        calls.append(1)
        raise OSError(28, "No space left on device")

    calls: list[int] = []
    store = DiskStore(tmp_path / "a.pixels", 2, 7, 5)
    store.write(1, MARK, _pixels(1))
    monkeypatch.setattr("reidcore.data.images.cache._write_at", full)
    with caplog.at_level(logging.WARNING, "reidcore"):
        for _ in range(3):
            store.write(0, MARK, _pixels(0))
    assert caplog.text.count("No space left") == 1
    assert len(calls) == 1
    assert store.read(0, MARK) is None
    np.testing.assert_array_equal(store.read(1, MARK), _pixels(1))


def test_space_is_reserved_before_it_is_used(tmp_path: Path) -> None:
    """Reading a hole of a file kills the process where the file system has no space left for it."""
    path = tmp_path / "a.pixels"
    store = DiskStore(path, 500, 64, 32)
    assert path.stat().st_blocks * 512 >= store.table.nbytes


def test_only_space_beyond_the_end_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that compresses takes fewer blocks than it has bytes, however often it is reserved."""

    def emulated(file: int, offset: int, length: int) -> None:
        asked.append((offset, length))
        os.truncate(file, offset + length)

    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fallocate", emulated, raising=False)
    path = tmp_path / "a.pixels"
    store = DiskStore(path, 3, 7, 5)
    entry = store.table.nbytes // 3
    for again in (DiskStore(path, 3, 7, 5), pickle.loads(pickle.dumps(store))):
        assert again.table.nbytes == 3 * entry
    DiskStore(path, 4, 7, 5)
    assert asked == [(0, 3 * entry), (3 * entry, entry)]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such locks")
def test_nobody_else_has_a_file_while_its_space_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def reserved(file: int, offset: int, length: int) -> None:
        other = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(other)
        os.truncate(file, offset + length)

    path = tmp_path / "a.pixels"
    monkeypatch.setattr(os, "posix_fallocate", reserved, raising=False)
    store = DiskStore(path, 3, 7, 5)
    with path.open("rb") as other:  # others may have it from then on
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    store.write(2, MARK, _pixels(2))
    np.testing.assert_array_equal(store.read(2, MARK), _pixels(2))


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_reserves_nothing_has_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refused, raising=False)
    store = DiskStore(tmp_path / "a.pixels", 3, 7, 5)
    store.write(2, MARK, _pixels(2))
    np.testing.assert_array_equal(store.read(2, MARK), _pixels(2))


def test_a_disk_without_space_for_it_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, *_: Any) -> None:
        os.write(file, b"what was taken before")
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "posix_fallocate", full)
    caches = PixelCache("disk")
    with caplog.at_level(logging.WARNING, "reidcore"):
        for _ in range(2):
            assert not caches.stores(["a.jpg"], [SizeRule(7, 5)], draft=False)
    assert caplog.text.count("cannot be used ([Errno 28] No space left on device)") == 1
    assert not list((tmp_path / "images").iterdir())


def test_only_what_nobody_holds_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.pixels"
    store = DiskStore(path, 1, 7, 5)
    assert not remove_unused(path)
    assert path.exists()
    del store
    assert remove_unused(path)
    assert not path.exists()
    assert remove_unused(path)


def test_a_mark_is_of_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    assert FileMark.of(str(path)) is None
    path.write_bytes(b"abc")
    mark = FileMark.of(str(path))
    os.utime(path, ns=(1, 1))
    other = FileMark.of(str(path))
    assert mark is not None
    assert mark.size == 3
    assert mark != other
