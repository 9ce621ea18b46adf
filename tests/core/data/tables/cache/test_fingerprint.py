from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reidcore.data.card import card_of, require
from reidcore.data.tables.cache import fingerprint
from reidcore.data.tables.cache.fingerprint import Snapshot, fingerprint_of_reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    for name in ("train/1.jpg", "train/2.jpg", "test/1.jpg", "test/deep/er/3.PNG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    (folder / "train.txt").write_text("1.jpg 1\n2.jpg 2\n")
    return folder


def add(folder: Path) -> None:
    (folder / "test/deep/er/4.jpg").touch()


def remove(folder: Path) -> None:
    (folder / "train/2.jpg").unlink()


def rename(folder: Path) -> None:
    (folder / "train/2.jpg").rename(folder / "train/3.jpg")


def move_to_another_folder(folder: Path) -> None:
    (folder / "train/2.jpg").rename(folder / "test/2.jpg")


def add_an_empty_folder(folder: Path) -> None:
    (folder / "query").mkdir()


def change_a_list_keeping_size_and_time(folder: Path) -> None:
    path = folder / "train.txt"
    status = path.stat()
    path.write_text("1.jpg 2\n2.jpg 1\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def add_a_list(folder: Path) -> None:
    (folder / "test.txt").write_text("1.jpg 1\n")


@pytest.mark.parametrize(
    "change",
    [
        add,
        remove,
        rename,
        move_to_another_folder,
        add_an_empty_folder,
        change_a_list_keeping_size_and_time,
        add_a_list,
    ],
)
def test_every_change_of_names_or_lists_is_noticed(
    folder: Path, change: Callable[[Path], None]
) -> None:
    before = Snapshot.of(folder)
    assert Snapshot.of(folder).hash == before.hash
    assert before.still_holds()
    change(folder)
    assert Snapshot.of(folder).hash != before.hash


def test_a_change_of_a_large_list_is_noticed_without_reading_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "READ_WHOLE", 3)
    before = Snapshot.of(folder).hash
    os.utime(folder / "train.txt", ns=(1, 1))
    assert Snapshot.of(folder).hash != before


@pytest.mark.parametrize("change", [add, remove, rename, add_a_list])
def test_a_second_look_at_the_times_notices_what_happened_since(
    folder: Path, change: Callable[[Path], None]
) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, ns=(1, 1))  # clocks of file systems may tick slowly
    before = Snapshot.of(folder)
    change(folder)
    assert not before.still_holds()


def test_a_second_look_notices_lists_that_changed_or_went(folder: Path) -> None:
    os.utime(folder / "train.txt", ns=(1, 1))
    before = Snapshot.of(folder)
    (folder / "train.txt").write_text("other")
    assert not before.still_holds()
    (folder / "train.txt").unlink()
    assert not before.still_holds()


def test_a_copy_elsewhere_has_the_same_fingerprint(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere/copy")
    assert Snapshot.of(tmp_path / "elsewhere/copy").hash == Snapshot.of(folder).hash


def test_links_are_followed_but_not_in_circles(folder: Path, tmp_path: Path) -> None:
    (folder / "train/up").symlink_to(folder)
    (folder / "broken.txt").symlink_to(tmp_path / "nothing")
    other = tmp_path / "other"
    other.mkdir()
    (folder / "more").symlink_to(other)
    before = Snapshot.of(folder).hash
    (other / "5.jpg").touch()
    assert Snapshot.of(folder).hash != before


def test_a_reader_is_known_by_its_source(tmp_path: Path) -> None:
    assert fingerprint_of_reader(require) == fingerprint_of_reader(require)
    assert fingerprint_of_reader(require) != fingerprint_of_reader(card_of)
    # What these do is not to be seen in a source file.
    assert fingerprint_of_reader(partial(require)) is None
    assert fingerprint_of_reader(lambda root: root / tmp_path) is None
