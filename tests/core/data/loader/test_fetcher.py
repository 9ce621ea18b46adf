"""What goes wrong in plugins' code where images are read, here and in worker processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl
from reidcore.data import ImageDataManager, ImageDataset, from_folders
from reidcore.errors import PluginDefectError
from reidcore.plugins import Plugins
from reidcore.testing import fake_dataset, make_plugins


class Reads(ImageDataset):
    """A dataset whose items are read in a way of its own."""

    asked = "item"

    def __init__(self, root: Path, **options: Any) -> None:
        super().__init__(*from_folders(root / "tiny"), **options)

    def __getitem__(self, index: int) -> Any:
        item = super().__getitem__(index)
        answers = {
            "leaves": lambda: sys.exit(0),
            "fails": lambda: {}["no such key"],
            "None": lambda: None,
            "list": lambda: [item["img"], 0, 0],
            "no pid": lambda: {"img": item["img"], "camid": 0},
        }
        return answers[self.asked]()


class Shop:
    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("shop", Reads)
        registry.add("tiny", lambda root: from_folders(root / "tiny"))

    @hookimpl
    def reid_register_transforms(self, registry: Any) -> None:
        registry.add("leaves", lambda height, width: lambda image: sys.exit(0))
        registry.add("fails", lambda height, width: lambda image: {}["no such key"])
        registry.add("floats", lambda height, width: lambda image: 0.5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny", ids=2)
    return folder


@pytest.fixture(scope="module")
def plugins() -> Iterator[Plugins]:
    with make_plugins(Shop()) as made:
        yield made


def first_batch(root: Path, source: str, workers: int, **options: Any) -> None:
    manager = ImageDataManager(
        root=str(root),
        sources=source,
        targets="tiny",
        height=16,
        width=8,
        batch_size=2,
        workers=workers,
        **options,
    )
    next(iter(manager.train_loader))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("leaves", r"plugin 'Shop' ended the program in <lambda> \(SystemExit: 0\)"),
        ("None", r"dataset 'shop' of plugin 'Shop' gave None in __getitem__.*camid, img, pid"),
        ("list", r"dataset 'shop' of plugin 'Shop' gave a list in __getitem__"),
        ("no pid", r"gave a dict with the keys \['camid', 'img'\] in __getitem__"),
    ],
)
def test_an_item_that_is_none_is_a_defect_of_the_datasets_plugin(
    root: Path,
    plugins: Plugins,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    asked: str,
    told: str,
) -> None:
    monkeypatch.setattr(Reads, "asked", asked)
    with pytest.raises(PluginDefectError, match=told):
        first_batch(root, "shop", workers)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("transform", "told"),
    [
        ("leaves", r"plugin 'Shop' ended the program in <lambda> \(SystemExit: 0\)"),
        ("floats", "transform 'floats' of plugin 'Shop' gave a float in its call"),
    ],
)
def test_a_transform_that_gives_no_image_is_a_defect_of_its_plugin(
    root: Path, plugins: Plugins, workers: int, transform: str, told: str
) -> None:
    with pytest.raises(PluginDefectError, match=told):
        first_batch(root, "tiny", workers, transforms=[transform])


def test_what_fails_in_a_worker_names_its_plugin_and_shows_where(
    root: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = r"plugin 'Shop' failed in <lambda> \(KeyError: 'no such key'\)"
    monkeypatch.setattr(Reads, "asked", "fails")
    for source, transforms in (("shop", []), ("tiny", ["fails"])):
        with pytest.raises(PluginDefectError, match=told) as failed:
            first_batch(root, source, 1, transforms=transforms)
        (trace,) = failed.value.__notes__
        assert "test_fetcher.py" in trace


def test_what_fails_in_this_process_is_raised_as_it_is(
    root: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reads, "asked", "fails")
    with pytest.raises(KeyError, match="no such key") as failed:
        first_batch(root, "shop", 0)
    found = plugins.blame(failed.value)
    assert found is not None
    assert found.name == "Shop"
