"""Datasets of a plugin file, read again or recalled."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reidcore.data.by_name import open_datasets
from reidcore.data.dataset import Dataset
from reidcore.data.sample import Samples
from reidcore.data.table import SampleTable
from reidcore.data.tables.cache import recall
from reidcore.data.tables.cache.fingerprint import _hash_of_files
from reidcore.plugins import make_plugins
from reidcore.registry import find

PLUGIN = '''
import logging
from pathlib import Path

import numpy as np

from reidcore import hookimpl
from reidcore.data import SampleTable, Splits
from reidcore.data.card import DatasetCard, described_by, read_from

CARD = DatasetCard(
    title="Shop", folder="shop", layout="shop/", paper="", source="", licence="", protocol=""
)


@described_by(CARD)
def shop(root: Path, *, shift: int = 0, complain: bool = False) -> Splits:
    """Read names like 0001_c1.jpg."""
    with (root / "calls").open("a") as calls:
        calls.write("read\\n")
    if complain:
        logging.getLogger("anywhere").warning("half of it is missing")
    rows = []
    for path in sorted((root / "shop").glob("*.jpg")):
        pid, camera = path.stem.split("_c")
        rows.append((str(path), int(pid) + shift, int(camera)))
    clothes = np.arange(len(rows))
    return Splits(rows, SampleTable.of(rows, columns={"clothes": clothes}), rows)


@described_by(CARD)
def walks(root: Path) -> Splits:
    frames = tuple(str(path) for path in sorted((root / "shop").glob("*.jpg")))
    with (root / "calls").open("a") as calls:
        calls.write("read\\n")
    return Splits([(frames, 1, 0)], [], [(frames[:1], 1, 1)])


@read_from(lambda root: [root / "shop", root / "more"])
def plain(root: Path) -> Splits:
    with (root / "calls").open("a") as calls:
        calls.write("read\\n")
    found = [sorted((root / name).glob("*.jpg")) for name in ("shop", "more")]
    return Splits([], *([(str(path), 1, 1) for path in paths] for paths in found))


@hookimpl
def reid_register_datasets(registry):
    registry.add("shop", shop)
    registry.add("walks", walks)
    registry.add("plain", plain)
'''


class Shop:
    """A root folder with one small dataset, and the plugin that reads it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "data"
        self.plugin = folder / "shop_plugin.py"
        self.plugin.write_text(PLUGIN)
        (self.root / "shop").mkdir(parents=True)
        for name in ("0001_c1", "0001_c2", "0002_c1"):
            (self.root / "shop" / f"{name}.jpg").touch()

    def open(self, name: str = "shop", **options: object) -> Dataset:
        _hash_of_files.cache_clear()
        with make_plugins(extra=[str(self.plugin)]) as plugins:
            return open_datasets([name], self.root, {}, {name: options}, plugins)[name]

    @property
    def readings(self) -> int:
        return len((self.root / "calls").read_text().splitlines())


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    return Shop(tmp_path)


def kept(shop: Shop) -> list[Path]:
    return sorted((shop.root.parent / "home" / "tables").glob("*"))


def test_a_dataset_is_read_once(shop: Shop) -> None:
    first, second = shop.open(), shop.open()
    assert shop.readings == 1
    for split in ("train", "query", "gallery"):
        assert list(getattr(first, split)) == list(getattr(second, split))
    assert len(second.query) == 3
    assert second.query.columns["clothes"].tolist() == [0, 1, 2]  # type: ignore[union-attr]
    assert [path.suffix for path in kept(shop)] == [".table"]


def test_tracklets_are_kept_too(shop: Shop) -> None:
    first, second = shop.open("walks"), shop.open("walks")
    assert shop.readings == 1
    assert list(first.train) == list(second.train)
    assert list(first.gallery) == list(second.gallery)


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: (shop.root / "shop/0003_c1.jpg").touch(),
        lambda shop: (shop.root / "shop/0002_c1.jpg").unlink(),
        lambda shop: (shop.root / "shop/0002_c1.jpg").rename(shop.root / "shop/0009_c9.jpg"),
        lambda shop: (shop.root / "shop/list.txt").write_text("new"),
        lambda shop: shop.plugin.write_text(PLUGIN.replace("int(camera)", "int(camera) + 5")),
    ],
    ids=["added", "removed", "renamed", "list", "reader"],
)
def test_any_change_is_read(shop: Shop, change: Callable[[Shop], object]) -> None:
    shop.open()
    change(shop)
    again = shop.open()
    assert shop.readings == 2
    names = {Path(str(path)).name for path, *_ in again.query}
    assert names == {path.name for path in (shop.root / "shop").glob("*.jpg")}


def test_a_recalled_table_goes_to_other_processes_whole(shop: Shop) -> None:
    shop.open()
    table = shop.open().query
    sent = pickle.loads(pickle.dumps(table))
    assert list(sent) == list(table)
    assert sent.columns["clothes"].tolist() == [0, 1, 2]


def test_other_options_are_another_reading(shop: Shop) -> None:
    assert min(row[1] for row in shop.open().query) == 1
    assert min(row[1] for row in shop.open(shift=10).query) == 11
    assert min(row[1] for row in shop.open(shift=10).query) == 11
    assert shop.readings == 2


def test_a_moved_root_is_recalled_where_it_is_now(shop: Shop, tmp_path: Path) -> None:
    shop.open()
    shop.root = shop.root.rename(tmp_path / "moved")
    assert {Path(str(path)).parent for path, *_ in shop.open().train} == {shop.root / "shop"}
    assert shop.readings == 1
    words = kept(shop)[0].read_bytes()
    assert str(tmp_path).encode() not in words


def test_a_relative_root_is_recalled_relative(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open()
    monkeypatch.chdir(shop.root)
    shop.root = Path()
    assert shop.open().train[0][0] == "shop/0001_c1.jpg"
    assert shop.readings == 1
    monkeypatch.chdir("..")
    shop.root = Path("data")
    assert shop.open().train[0][0] == "data/shop/0001_c1.jpg"


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_table_is_read_again_and_mended(shop: Shop, damage: bytes | None) -> None:
    shop.open()
    table = kept(shop)[0]
    table.write_bytes(table.read_bytes()[:-7] if damage is None else damage)
    assert len(shop.open().train) == 3
    assert shop.readings == 2
    shop.open()
    assert shop.readings == 2


def test_a_reading_that_warned_is_not_kept(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.open(complain=True)
    caplog.clear()
    shop.open(complain=True)
    assert "half of it is missing" in caplog.text
    assert not kept(shop)


def test_a_dataset_without_a_card_may_name_its_folders(shop: Shop) -> None:
    assert [len(split) for split in splits(shop.open("plain"))] == [3, 0]
    assert [len(split) for split in splits(shop.open("plain"))] == [3, 0]
    assert shop.readings == 1
    (shop.root / "more").mkdir()  # a folder that was not there before
    (shop.root / "more/0007_c1.jpg").touch()
    assert [len(split) for split in splits(shop.open("plain"))] == [3, 1]
    assert shop.readings == 2


def splits(dataset: Dataset) -> tuple[Samples, Samples]:
    return dataset.query, dataset.gallery


def test_the_cache_can_be_switched_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REIDCORE_NO_TABLE_CACHE", "1")
    shop.open()
    assert not kept(shop)


def test_a_home_that_cannot_be_written_costs_nothing(shop: Shop) -> None:
    (shop.root.parent / "home").write_text("a file where the folder should be")
    assert len(shop.open().train) == 3


def test_a_user_without_a_home_reads_every_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with make_plugins(extra=[str(shop.plugin)]) as plugins:
        memory = recall.TableMemory(find("datasets", "shop", plugins), shop.root, {})
    assert memory.recall() is None
    memory.keep([SampleTable.of([]) for _ in range(3)])
    assert memory.recall() is None


def test_the_least_recently_used_go_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open()
    first = kept(shop)[0]
    os.utime(first, (1, 1))
    abandoned = first.parent / ".shop.abc"
    abandoned.touch()
    os.utime(abandoned, (1, 1))
    monkeypatch.setattr(recall, "_MOST_BYTES", first.stat().st_size + 10)
    shop.open(shift=1)
    assert first not in kept(shop)
    assert abandoned not in kept(shop)
    assert len(kept(shop)) == 1


def open_often(shop: Shop, tables: Path) -> None:
    """Read and recall; whoever else is at it deletes the tables now and then."""
    for turn in range(30):
        pids = [row[1] for row in shop.open(shift=turn % 2).query]
        assert pids == [1 + turn % 2, 1 + turn % 2, 2 + turn % 2]
        if turn % 5 == 4:
            for path in tables.glob("*.table"):
                path.unlink(missing_ok=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_several_processes_share_it_while_tables_come_and_go(shop: Shop) -> None:
    tables = shop.root.parent / "home" / "tables"
    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=open_often, args=(shop, tables)) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert len(shop.open().train) == 3
