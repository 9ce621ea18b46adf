"""Common trees are recognised by their names, and what reads them is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from reid_plugins_datasets.own import layouts
from reid_plugins_datasets.own.layouts import recognise
from reidcore import data
from reidcore.data import init_image_dataset
from reidcore.errors import DataError

ANY = ("0001", "0002", "0003")
SPLITS = ("train", "query", "gallery")

TREES = {
    "market": ([f"{s}/{p}_c{c}_7.jpg" for s in SPLITS for p in ANY for c in (1, 2)], {}),
    "other names of splits": (
        [f"{s}/{p}_c{c}_7.png" for s in ("training", "probe", "test") for p in ANY for c in (1, 2)],
        {"train": "training", "query": "probe", "gallery": "test"},
    ),
    "names of splits in any case": (
        [f"{s}/{p}_c{c}_7.png" for s in ("Train", "PROBE", "test") for p in ANY for c in (1, 2)],
        {"train": "Train", "query": "PROBE", "gallery": "test"},
    ),
    "splits one level down": (
        [f"my crops/{s}/{p}/c{c}_8.jpg" for s in SPLITS for p in ANY for c in (1, 2)],
        {split: f"my crops/{split}" for split in SPLITS}
        | {"pattern": r"^(?P<pid>\d+)/(?:.*[^a-zA-Z])?c(?P<camid>\d+)"},
    ),
    "identity/camera": (
        [f"{s}/{p}/c{c}/{i}.jpg" for s in SPLITS for p in ANY for c in (1, 2) for i in (8, 9)],
        {"pattern": r"^(?P<pid>\d+)/c(?P<camid>\d+)/"},
    ),
    "camera/identity_": (
        [f"{s}/c{c}/{p}_{i}.jpg" for s in SPLITS for p in ANY for c in (1, 2) for i in (8, 9)],
        {"pattern": r"^c(?P<camid>\d+)/(?P<pid>-1|\d+)[_-]"},
    ),
    "camera/identity": (
        [f"train/cam_{c}/{p}/{i}.jpg" for p in ANY for c in (1, 2) for i in (8, 9)],
        {"pattern": r"^cam_(?P<camid>\d+)/(?P<pid>\d+)/"},
    ),
    "identity, camera in the name": (
        [f"train/person{p}/img_c{c}_{i}.jpg" for p in ANY for c in (1, 2) for i in (8, 9)],
        {"pattern": r"^person(?P<pid>\d+)/(?:.*[^a-zA-Z])?c(?P<camid>\d+)"},
    ),
    "no folders of splits": (
        [f"{p}/c{c}/{i}.jpg" for p in ANY for c in (1, 2) for i in (8, 9)],
        {"train": ".", "pattern": r"^(?P<pid>\d+)/c(?P<camid>\d+)/"},
    ),
    "identities one level down": (
        [f"photos/id{p}/c{c}/{i}.jpg" for p in ANY for c in (1, 2) for i in (8, 9)],
        {"train": "photos", "pattern": r"^id(?P<pid>\d+)/c(?P<camid>\d+)/"},
    ),
    "names of a camera and an identity": (
        [f"cam{c}-{p}-{i}.PNG" for p in ("anna", "ben", "cleo") for c in (1, 2) for i in (8, 9)],
        {"train": ".", "pattern": r"^cam(?P<camid>\d+)[-_.](?P<pid>[^-_.]+)[-_.]"},
    ),
    "names of an identity and a camera": (
        [f"{s}/{p}_C{c}.x{i}.jpg" for s in SPLITS for p in "abc" for c in (1, 2) for i in (8, 9)],
        {"pattern": r"^(?P<pid>[^-_.]+)[-_.]C(?P<camid>\d+)[-_.]"},
    ),
    "junk": (
        [f"{p}/c{c}/{i}.jpg" for p in (*ANY, "-1") for c in (1, 2) for i in (8, 9)],
        {"train": ".", "pattern": r"^(?P<pid>-1|\d+)/c(?P<camid>\d+)/"},
    ),
}


def plant(root: Path, paths: list[str]) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@pytest.mark.parametrize("tree", TREES)
def test_a_tree_is_read_by_what_was_recognised(tmp_path: Path, tree: str) -> None:
    paths, options = TREES[tree]
    plant(tmp_path, [*paths, "._x.jpg", "@eaDir/a/b/c.jpg", ".cache/x.jpg"])
    found = recognise(tmp_path)
    assert found is not None
    assert found.options == options
    dataset = init_image_dataset("folder", root=tmp_path, **options)
    assert dataset.num_train_pids == len(ANY)
    assert dataset.num_train_cams == 2


@pytest.mark.parametrize(
    ("paths", "pattern", "example"),
    [
        (
            [f"{p}/{i}.jpg" for p in ANY for i in (7, 8)],
            r"^(?P<pid>\d+)/",
            "'0001/7.jpg' is identity '0001', camera unknown",
        ),
        (
            [f"{p}/{i}/{f}.jpg" for p in ANY for i in range(9) for f in (1,)],
            r"^(?P<pid>\d+)/(?P<camid>\d+)/",
            "'0001/0/1.jpg' is identity '0001', camera '0'",
        ),
        (
            [
                f"{p}/{day}/{f}.jpg"
                for p in ("anna", "bert")
                for day in ("mon", "tue")
                for f in "ab"
            ],
            r"^(?P<pid>[^/]+)/(?P<camid>[^/]+)/",
            "'anna/mon/a.jpg' is identity 'anna', camera 'mon'",
        ),
        (
            [
                f"{c}/{p}/1.jpg"
                for c in ("Hof", "T\xfcr s\xfcd")
                for p in ("anna", "ben", "eva", "kim")
            ],
            r"^(?P<camid>[^/]+)/(?P<pid>[^/]+)/",
            "'Hof/anna/1.jpg' is identity 'anna', camera 'Hof'",
        ),
        (
            [f"cam{c}/{p}_{i}.jpg" for c in (1, 2) for p in ("anna", "ben") for i in (8, 9)],
            r"^cam(?P<camid>\d+)/(?P<pid>[^-_.]+)[-_.]",
            "'cam1/anna_8.jpg' is identity 'anna', camera '1'",
        ),
        (
            [f"car{p}/{i}_x.jpg" for p in (1, 2, 3) for i in (8, 9)],
            r"^car(?P<pid>\d+)/",
            "'car1/8_x.jpg' is identity '1', camera unknown",
        ),
        (
            [f"car{p}/cam{c}/8.jpg" for p in (1, 2, 3) for c in (1, 2)],
            r"^car(?P<pid>\d+)/cam(?P<camid>\d+)/",
            "'car1/cam1/8.jpg' is identity '1', camera '1'",
        ),
    ],
)
def test_names_and_unknown_cameras_are_recognised_too(tmp_path, paths, pattern, example) -> None:
    found = recognise(plant(tmp_path, paths))
    assert found is not None
    assert (found.options["pattern"], found.example) == (pattern, example)


@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["a.jpg", "b.jpg"],
        [f"cam{c}/frame_{i}.jpg" for c in (1, 2) for i in (8, 9)],
        ["0001/a.jpg", "0001/c1/b.jpg"],
        ["train/notes.txt"],
        [f"{shop}/{s}/{p}/c1_8.jpg" for shop in ("a", "b") for s in SPLITS for p in ANY],
        [f"{s}/{p}/c1_8.jpg" for s in ("test", "val") for p in ANY],
        [f"{kind}/{n}/cam{c}_8.jpg" for kind in ("car", "van") for n in (1, 2) for c in (1, 2)],
    ],
)
def test_what_is_not_understood_is_not_guessed(tmp_path: Path, paths: list[str]) -> None:
    assert recognise(plant(tmp_path, paths)) is None


def test_a_large_tree_is_looked_at_in_all_its_folders(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(layouts, "_LOOKED_AT", 24)
    people = ("anna", "ben", "cleo", "dan")
    plant(
        tmp_path, [f"{c}/{p}/{i}.jpg" for c in ("door", "yard") for p in people for i in "123456"]
    )
    found = recognise(tmp_path)
    assert found is not None
    assert found.example == "'door/anna/1.jpg' is identity 'anna', camera 'door'"


def test_a_few_strangers_do_not_hide_a_layout(tmp_path: Path) -> None:
    plant(tmp_path, [*TREES["other names of splits"][0], "training/overview.png"])
    found = recognise(tmp_path)
    assert found is not None
    assert found.options == TREES["other names of splits"][1]


def test_an_error_of_the_dataset_says_what_would_read_the_tree(tmp_path: Path) -> None:
    plant(tmp_path, TREES["identity/camera"][0])
    with pytest.raises(DataError) as caught:
        init_image_dataset("folder", root=tmp_path)
    pattern = r"^(?P<pid>\d+)/c(?P<camid>\d+)/"
    assert f"folder.pattern='{pattern}' reads it" in str(caught.value)
    assert "'0001/c1/8.jpg' is identity '0001', camera '1'" in str(caught.value)
    assert len(init_image_dataset("folder", root=tmp_path, pattern=pattern).query) == 12


def test_an_error_is_left_alone_where_nothing_is_understood(tmp_path: Path) -> None:
    plant(tmp_path, ["train/0001/x.jpg", "train/0001/c1/y.jpg"])
    with pytest.raises(DataError) as caught:
        init_image_dataset("folder", root=tmp_path)
    assert "reads it" not in str(caught.value)


def test_a_root_without_splits_is_told_to_be_read_whole(tmp_path: Path) -> None:
    plant(tmp_path, TREES["no folders of splits"][0])
    with pytest.raises(DataError, match=r"folder\.train=\. folder\.pattern="):
        data.init_image_dataset("folder", root=tmp_path)


@pytest.mark.parametrize("name", ["cam{c}-{n}.jpg", "cat-{c}-{n}.jpg", "{n}-{c}-x.jpg"])
def test_numbers_that_differ_from_file_to_file_are_no_identities(tmp_path, name: str) -> None:
    plant(tmp_path, [name.format(c=c, n=8 * c + n) for c in (1, 2) for n in range(8)])
    assert recognise(tmp_path) is None


@pytest.mark.parametrize(
    ("paths", "train", "example"),
    [
        (["export/2024/crops/{}/1.jpg"], "export/2024/crops", "'anna/1.jpg' is identity 'anna'"),
        (["export/{}/cam1/1.jpg", "export/{}/cam2/1.jpg"], "export", "'anna/cam1/1.jpg' is"),
    ],
)
def test_folders_that_are_the_only_ones_are_gone_through(tmp_path, paths, train, example) -> None:
    found = recognise(plant(tmp_path, [p.format(who) for p in paths for who in ("anna", "ben")]))
    assert found is not None
    assert found.options["train"] == train
    assert found.example.startswith(example)


def test_splits_may_lie_deep(tmp_path) -> None:
    paths = [f"shop/v2/{split}/0007_c{n}_1.jpg" for split in SPLITS for n in (1, 2)]
    found = recognise(plant(tmp_path, paths))
    assert found is not None
    assert found.options == {split: f"shop/v2/{split}" for split in SPLITS}


def test_a_link_that_leads_round_ends(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    assert recognise(tmp_path) is None


@pytest.mark.parametrize("name", ["anna/c{n}/1.jpg", "anna/{n}.jpg"])
def test_the_only_folder_is_an_identity_where_it_holds_no_others(tmp_path, name: str) -> None:
    found = recognise(plant(tmp_path, [name.format(n=n) for n in range(1, 5)]))
    assert found is not None
    assert "is identity 'anna'" in found.example
    assert found.options["train"] == "."
