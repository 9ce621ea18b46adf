"""Whatever is not used is counted by kind, and told once with its first three names."""

from __future__ import annotations

import logging

import pytest

from reidcore.data import Sample, init_image_dataset, leave_out, noting_left_out
from reidcore.data.dataset import ImageDataset
from reidcore.data.table import SampleTable


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reidcore")


def test_kinds_are_joined_and_told_in_one_line(caplog) -> None:
    with noting_left_out("shop") as found:
        leave_out(["a", "b"], "images", "too dark", total=5)
        leave_out(["c"], "files", expected=True)
        leave_out([("d1", "d2"), "e"], "images", "too dark", total=4)
        leave_out([], "images", "too dark", total=7)
        assert not caplog.records
    assert [record.getMessage() for record in caplog.records] == [
        "shop: 4 of 9 images left out (too dark): 'a', 'b', 'd1' and 1 more",
        "shop: 1 file left out: 'c'",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert found[0].as_dict() == {
        "what": "images",
        "why": "too dark",
        "count": 4,
        "names": ["a", "b", "d1"],
        "total": 9,
        "expected": False,
    }


def test_outside_of_a_reading_it_is_told_at_once(caplog) -> None:
    leave_out(["a"], "images", "too dark")
    assert caplog.messages == ["1 image left out (too dark): 'a'"]


def test_training_images_of_negative_identities_are_told_with_their_names(caplog) -> None:
    rows = [Sample("a", -3, 0), Sample("b", 4, 0), Sample("c", -1, 0)]
    dataset = ImageDataset(rows, [], [], verbose=False)
    assert len(dataset.train) == 1
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "2 images of negative identities left out" in record.getMessage()
    assert "'a', 'c'" in record.getMessage()


def test_combining_tells_of_junk_and_of_paths_that_came_before(caplog) -> None:
    class Shop(ImageDataset):
        _junk_pids = (0,)

    train, query = [Sample("a", 1, 0)], [Sample("b", 2, 0)]
    gallery = [Sample("b", 2, 0), Sample("c", 0, 0), Sample("d", -1, 1)]
    dataset = Shop(train, query, gallery, combineall=True, verbose=False)
    assert [sample.path for sample in dataset.train] == ["a", "b"]
    assert sorted((found.count, found.names) for found in dataset.left_out) == [
        (1, ("b",)),
        (1, ("c",)),
        (1, ("d",)),
    ]
    assert len(caplog.records) == 3


def test_a_dataset_by_name_keeps_what_it_left_out(tmp_path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("0001_c1.jpg", "-1_c1.jpg", "notes.txt", "Thumbs.db", ".keep"):
        (tmp_path / "train" / name).touch()
    dataset = init_image_dataset("folder", root=tmp_path)
    assert len(dataset.train) == 1
    assert [(found.what, found.count) for found in dataset.left_out] == [
        ("files", 1),
        ("images of identity -1", 1),
    ]


def test_nothing_is_said_of_a_table_without_negative_identities(caplog) -> None:
    SampleTable.of([("a", 0, 0)]).identified("train")
    assert not caplog.records


def test_files_that_the_layout_leaves_out_are_told_without_their_folders(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO"):
        leave_out([f"data/test/{n}.jpg" for n in range(5)], "images", "junk", expected=True)
        leave_out(["data/a.jpg"], "files")
    assert caplog.messages == [
        "5 images left out (junk): '0.jpg', '1.jpg', '2.jpg' and 2 more",
        "1 file left out: 'data/a.jpg'",
    ]
