from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reidcore.data.images.disk import DiskStore, remove_unused
from reidcore.data.images.memory import MemoryStore
from reidcore.data.images.store import FileMark, PixelStore, words_of

MARK = FileMark(1234, 5_000_000_000)


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
    monkeypatch.setattr("reidcore.data.images.disk._write_at", full)
    with caplog.at_level(logging.WARNING, "reidcore"):
        for _ in range(3):
            store.write(0, MARK, _pixels(0))
    assert caplog.text.count("No space left") == 1
    assert len(calls) == 1
    assert store.read(0, MARK) is None
    np.testing.assert_array_equal(store.read(1, MARK), _pixels(1))


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
