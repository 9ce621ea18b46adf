"""Anyone's own folders, read without code."""

from pathlib import Path

import pytest

from reid_plugins_datasets.own.folder import folder
from reidcore.data import init_image_dataset
from reidcore.errors import DataError


def plant(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def labels(samples):
    return [(s.pid, s.camid) for s in samples]


def test_the_three_default_folders_are_read(tmp_path):
    plant(tmp_path, "train/0003_c2_1.jpg", "query/0001_c1_1.png", "gallery/0001_c2_1.jpg",
          "gallery/-1_c2_1.jpg", "gallery/notes.txt")  # fmt: skip
    train, query, gallery = folder(tmp_path)
    assert (labels(train), labels(query), labels(gallery)) == ([(3, 2)], [(1, 1)], [(1, 2)])


def test_names_and_pattern_are_options_of_the_registered_dataset(tmp_path):
    plant(tmp_path, "shots/cam4-id9.jpg", "wanted/cam1-id2.jpg", "known/cam3-id2.jpg")
    dataset = init_image_dataset(
        "folder", root=tmp_path, train="shots", query="wanted", gallery="known",
        pattern=r"cam(?P<camid>\d+)-id(?P<pid>\d+)",
    )  # fmt: skip
    assert labels(dataset.query) == [(2, 1)]
    assert labels(dataset.gallery) == [(2, 3)]


def test_a_pattern_with_a_slash_reads_folders_of_identities(tmp_path):
    plant(tmp_path, "train/0012/c3_0002.jpg", "train/0012/c1_0001.jpg", "train/0002/c1_1.JPG",
          "train/0002/Thumbs.db")  # fmt: skip
    train = folder(tmp_path, pattern=r"(?P<pid>\d+)/c(?P<camid>\d+)_").train
    assert labels(train) == [(2, 1), (12, 1), (12, 3)]
    assert all(Path(str(s.path)).is_file() for s in train)


def test_the_folders_above_the_set_are_not_matched(tmp_path):
    plant(tmp_path, "99/c8_/train/0012/c3_0002.jpg")
    found = folder(tmp_path / "99" / "c8_", pattern=r"(?P<pid>\d+)/c(?P<camid>\d+)_")
    assert labels(found.train) == [(12, 3)]


def test_a_set_may_serve_for_training_or_testing_only(tmp_path):
    plant(tmp_path, "a/train/1_c1.jpg", "b/query/1_c1.jpg", "b/gallery/1_c2.jpg")
    assert [len(split) for split in folder(tmp_path / "a")] == [1, 0, 0]
    assert [len(split) for split in folder(tmp_path / "b")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("present", "told"),
    [
        ((), "Expected train/, query/, gallery/"),
        (("train/1_c1.jpg", "query/1_c1.jpg"), "gallery"),
        (("gallery/1_c1.jpg",), "query"),
    ],
)
def test_missing_folders_are_told_with_the_layout(tmp_path, present, told):
    plant(tmp_path, *present)
    with pytest.raises(DataError, match=told):
        folder(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"(?P<pid>\d+)/(", "is not one"),
        (r"(\d+)/c(?P<camid>\d+)", "lacks a group pid"),
        (r"(?P<pid>\d+)/z(?P<camid>\d+)", "another pattern"),
    ],
)
def test_a_path_pattern_that_does_not_fit_is_told(tmp_path, pattern, told):
    plant(tmp_path, "train/0012/c3_0002.jpg", "train/anna/c1_1.jpg")
    with pytest.raises(DataError, match=told):
        folder(tmp_path, pattern=pattern)


def test_images_that_do_not_match_a_path_pattern_are_left_out_and_told(tmp_path, caplog):
    plant(tmp_path, "train/0012/c3_0002.jpg", "train/cover.jpg")
    with caplog.at_level("WARNING"):
        train = folder(tmp_path, pattern=r"(?P<pid>\d+)/c(?P<camid>\d+)_").train
    assert len(train) == 1
    assert "1 of 2" in caplog.text
    assert "cover.jpg" in caplog.text


def test_what_lies_beside_the_splits_is_told(tmp_path):
    plant(tmp_path, *(f"{split}/0001_c1_1.jpg" for split in ("train", "query", "gallery")),
          *(f"{name}.jpg" for name in "abcd"), "val/deep/0002_c1_1.jpg", "docs/notes.txt",
          "Thumbs.db", "__MACOSX/x.jpg", "readme.md")  # fmt: skip
    found = init_image_dataset("folder", root=tmp_path).left_out
    why = "beside the folders of the splits"
    told = [(one.what, one.count, one.names, one.expected) for one in found if why in one.why]
    loose = tuple(str(tmp_path / f"{name}.jpg") for name in "abc")
    assert told == [
        ("images", 4, loose, False),
        ("folders", 1, (str(tmp_path / "val"),), False),
    ]


@pytest.mark.parametrize(
    ("train", "told"),
    [("a/train", ["a/x.jpg", "b"]), (".", []), ("../root/a", ["b"]), ("../far", [])],
)
def test_only_folders_on_the_way_to_a_split_have_neighbours(tmp_path, train, told):
    root = tmp_path / "root"
    plant(tmp_path, "far/0001/1.jpg", "other.jpg")
    plant(tmp_path, "root/a/train/0001/1.jpg", "root/a/x.jpg", "root/b/0002/1.jpg")
    pattern = r"(?P<pid>\d+)/\d+[.]jpg"
    found = init_image_dataset("folder", root=root, train=train, pattern=pattern).left_out
    names = [name for one in found if "beside" in one.why for name in one.names]
    assert names == [str(root / name) for name in told]
