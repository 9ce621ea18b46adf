"""Datasets under names of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from reidcore.data import ImageDataManager
from reidcore.errors import ConfigError, DataError, UnknownNameError
from reidcore.registry.named import NamedDataset, registered_kind
from reidcore.testing import fake_dataset

ROWS = "path,pid,camid,split\n" + "".join(
    f"shop_b/{split}/{name},{pid},{camid},{split}\n"
    for split in ("train", "query", "gallery")
    for name, pid, camid in [("x.png", "anna", "gate"), ("y.png", "ben", "hall")]
)

DATASETS = {"shop_a": {"csv": "a.csv"}, "shop_b": {"folder": {"root": "shop_b", "train": "learn"}}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops")
    fake_dataset(folder / "shop_b", ids=4)
    for split in ("train", "query", "gallery"):
        first, *_ = (folder / "shop_b" / split).iterdir()
        for name in ("x.png", "y.png"):
            (folder / "shop_b" / split / name).write_bytes(first.read_bytes())
    (folder / "shop_b" / "train").rename(folder / "shop_b" / "learn")
    (folder / "a.csv").write_text(ROWS.replace("/train/", "/learn/"))
    return folder


def manager(root: Path, **given: object) -> ImageDataManager:
    settings = {"sources": ["shop_a", "shop_b"], "datasets": DATASETS, "height": 32, "width": 16}
    settings |= {"batch_size": 4}
    return ImageDataManager(root=root, workers=0, use_gpu=False, **{**settings, **given})


def test_two_datasets_keep_their_names_kinds_and_roots(root: Path) -> None:
    made = manager(root)
    assert list(made.test_loader) == ["shop_a", "shop_b"]
    assert list(made.fingerprints()) == ["shop_a", "shop_b"]
    assert list(made.left_out) == ["shop_a", "shop_b"]
    query, _ = made.fetch_test_loaders("shop_a")
    assert [query.names.pid(pid) for pid in query.pids] == ["anna", "ben"]
    assert made.num_train_pids == 2 + 4


def test_what_a_kind_is_given_holds_for_all_of_its_datasets(root: Path) -> None:
    semicolons = (root / "a.csv").read_text().replace(",", ";")
    (root / "c.csv").write_text(semicolons.replace("path;", "file;"))
    named = {
        "one": {"csv": {"file": "a.csv", "path": "path", "delimiter": ","}},
        "two": {"csv": "c.csv"},
    }
    made = manager(
        root, sources=list(named), datasets=named, csv={"path": "file", "delimiter": ";"}
    )
    assert made.num_train_pids == 4


def test_options_are_judged_under_the_name(root: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"dataset 'shop_a' .* has no option 'pidd'"):
        manager(root, datasets={**DATASETS, "shop_a": {"csv": {"pidd": "x"}}})
    with pytest.raises(DataError, match=r"dataset 'shop_a': there is no table .*no\.csv"):
        manager(root, datasets={**DATASETS, "shop_a": {"csv": "no.csv"}})


def test_near_names_are_ones_own_too(root: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'shop_a' or 'shop_b'"):
        manager(root, sources=["shopa"])
    with pytest.raises(UnknownNameError, match=r"no dataset is named 'cvs'\. Did you mean 'csv'"):
        manager(root, sources=["shop"], datasets={"shop": {"cvs": "a.csv"}})


@pytest.mark.parametrize(
    "datasets",
    [
        {"shop": {}},
        {"shop": {"csv": "a.csv", "folder": "b"}},
        {"shop": {"csv": 5}},
        {"../shop": {"csv": "a.csv"}},
        {"": {"csv": "a.csv"}},
    ],
)
def test_another_form_is_refused(root: Path, datasets: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="one dataset with its place or its options"):
        manager(root, datasets=datasets)


def test_a_registered_name_is_its_own_kind() -> None:
    assert registered_kind(DATASETS, "shop_b") == "folder"
    assert registered_kind(DATASETS, "market1501") == "market1501"
    assert NamedDataset.of(DATASETS, "market1501") is None


def test_a_root_in_the_home_folder_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("USERPROFILE", str(root))
    named = {"shop": {"folder": {"root": "~/shop_b", "train": "learn"}}}
    made = manager(root / "elsewhere", sources=["shop"], datasets=named)
    assert made.num_train_pids == manager(root, sources=["shop_b"]).num_train_pids
