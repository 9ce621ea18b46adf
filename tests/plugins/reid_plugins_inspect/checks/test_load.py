from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from reid_plugins_inspect.checks import Finding, check_dataset
from reid_plugins_inspect.checks.load import open_dataset, open_folder, open_table

from reidcore import data
from reidcore.config import read_config
from reidcore.data.dataset import ImageDataset
from reidcore.data.sample import Splits
from reidcore.errors import DataError, UserError
from reidcore.plugins import Plugins

PluginsWith = Callable[..., Plugins]


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., Path]:
    """Write pictures of these names below a folder, and return it."""

    def make(*names: str) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 8)).save(tmp_path / name)
        return tmp_path

    return make


def test_identities_are_those_of_the_dataset(plugins_with: PluginsWith) -> None:
    def shop(root: Path, *, shift: int = 0) -> Splits:
        return Splits([("a.jpg", 50 + shift, 0)], [("b.jpg", 7, 0)], [("c.jpg", 7, 1)])

    plugins = plugins_with(shop=shop)
    dataset = open_dataset("shop", Path(), {"shift": 5}, plugins)
    assert dataset.train.pids.tolist() == [55]
    assert (dataset.unit, dataset.pids_apart) == ("images", False)
    with pytest.raises(UserError, match="no option 'shifted'"):
        open_dataset("shop", Path(), {"shifted": 5}, plugins)


def test_a_class_in_torchreids_style_has_numbered_its_identities(plugins_with: PluginsWith) -> None:
    class Shop(ImageDataset):
        def __init__(self, root: str = "", **kwargs: object) -> None:
            super().__init__([("a.jpg", 50, 0)], [("b.jpg", 0, 0)], [("c.jpg", 0, 1)], **kwargs)  # type: ignore[arg-type]

    dataset = open_dataset("shop", Path(), {}, plugins_with(shop=Shop))
    assert dataset.train.pids.tolist() == [0]
    assert dataset.pids_apart


def test_frames_are_counted_by_tracklets(plugins_with: PluginsWith) -> None:
    walks = Splits([(("a.jpg", "b.jpg"), 1, 0)], [], [])
    dataset = open_dataset("walks", Path(), {}, plugins_with(walks=lambda root: walks))
    assert (dataset.unit, dataset.files.paths) == ("tracklets", ["a.jpg", "b.jpg"])


@pytest.mark.parametrize(
    "folders", [("train", "query", "gallery"), ("bounding_box_train", "query", "bounding_box_test")]
)
def test_a_folder_in_either_layout_is_a_dataset(
    pictures: Callable[..., Path], folders: tuple[str, str, str]
) -> None:
    train, query, gallery = folders
    root = pictures(f"{train}/0001_c1.jpg", f"{query}/0002_c1.jpg", f"{gallery}/0002_c2.jpg")
    dataset = open_folder(root, {})
    assert dataset.labelled
    assert [len(table) for table in dataset.splits.values()] == [1, 1, 1]


def test_a_tree_of_identities_and_cameras_is_read_by_its_names(
    pictures: Callable[..., Path],
) -> None:
    root = pictures(*(f"000{pid}/c{cam}/a.jpg" for pid in (1, 2, 3) for cam in (1, 2)))
    dataset = open_folder(root, {})
    assert dataset.counts == {"train": {"ids": 3, "images": 6, "cameras": 2}}
    told = read_as(root)
    assert "'0001/c1/a.jpg' is identity '0001', camera '1'" in told.message
    assert "nothing to test on" in told.message
    options = overrides_of(told.advice)
    assert len(data.init_image_dataset("folder", root=root, **options).train) == 6


def read_as(folder: Path) -> Finding:
    """Return what is said of how a folder was read."""
    report = check_dataset(open_folder(folder, {}), 0)
    (told,) = [finding for finding in report.findings if finding.check == "read-as"]
    return told


def overrides_of(command: str) -> dict[str, str]:
    """Return the options of the dataset ``folder`` in a command."""
    words = [word for word in shlex.split(command) if word.startswith("folder.")]
    return dict(word.removeprefix("folder.").split("=", 1) for word in words)


@pytest.mark.parametrize("splits", [(), ("train", "query", "gallery")])
def test_the_command_for_a_tree_can_be_pasted(
    pictures: Callable[..., Path], splits: tuple[str, ...]
) -> None:
    """Shells take it word by word, and no target of the recipe's own stays."""
    names = [f"000{pid}/c{cam}/a.jpg" for pid in (1, 2, 3) for cam in (1, 2)]
    above = [f"{split}/" for split in splits] or [""]
    root = pictures(*(f"my crops/{at}{name}" for at in above for name in names)) / "my crops"
    told = read_as(root)
    words = ["sh", "-c", f"printf '%s\\n' {told.advice}"]
    _, verb, recipe, *rest = subprocess.run(
        words, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    overrides = [word for word in rest if "=" in word]
    config = read_config(recipe, overrides).config
    assert (verb, config.data.save_dir) == ("run", "log/my crops")
    assert rest[rest.index("--root") + 1] == str(root)
    assert ("-t" in rest) == bool(splits)
    assert (config.data.targets == []) == (not splits)


def test_any_other_folder_is_plain_pictures(pictures: Callable[..., Path]) -> None:
    root = pictures("b.png", "deep/er/a.jpg", "c.webp")
    (root / "notes.txt").write_text("no picture")
    dataset = open_folder(root, {})
    assert not dataset.labelled
    assert dataset.counts == {"train": {"ids": None, "images": 3, "cameras": None}}
    assert dataset.files.paths == sorted(
        str(root / name) for name in ("b.png", "c.webp", "deep/er/a.jpg")
    )
    with pytest.raises(DataError, match=r"pattern|train"):
        open_folder(root, {"pattern": r"(?P<pid>\d+)_(?P<camid>\d+)"})


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture below"):
        open_folder(tmp_path, {})
    with pytest.raises(DataError, match="no folder"):
        open_folder(tmp_path / "none", {})


def test_a_table_is_read_where_it_lies(pictures: Callable[..., Path]) -> None:
    root = pictures("x/1.png", "x/2.png", "x/3.png")
    table = root / "list.csv"
    table.write_text(
        "path,who,camid,split\nx/1.png,4,0,train\nx/2.png,9,0,query\nx/3.png,9,1,gallery"
    )
    dataset = open_table(table, {"pid": "who"})
    assert dataset.name == str(table)
    assert dataset.query.pids.tolist() == [9]
