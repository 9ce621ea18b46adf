from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reidcore.data.folders import from_folders
from reidcore.errors import DataError


def _touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    # The folder's own name looks like a sample's: it must not be read.
    root = tmp_path / "0099_c9"
    _touch(root / "train", "0007_c2_b.jpg", "0007_c1_a.PNG", "0003_c1.webp", "notes.txt")
    _touch(root / "query", "0011_c4.jpeg")
    _touch(root / "gallery", "-1_c2.jpg", "0000_c3.bmp", "0011_c5.jpg")
    return root


def test_identities_and_cameras_come_sorted_from_the_file_names(shop: Path) -> None:
    splits = from_folders(shop)
    assert [Path(sample[0]).name for sample in splits.train] == [
        "0003_c1.webp",
        "0007_c1_a.PNG",
        "0007_c2_b.jpg",
    ]
    assert [tuple(sample[1:]) for sample in splits.train] == [(3, 1, 0), (7, 1, 0), (7, 2, 0)]
    assert [sample[1:3] for sample in splits.query] == [(11, 4)]


def test_junk_is_left_out_and_distractors_are_kept(shop: Path) -> None:
    assert [sample[1] for sample in from_folders(shop).gallery] == [0, 11]


def test_a_missing_folder_shows_the_layout(shop: Path) -> None:
    with pytest.raises(DataError) as caught:
        from_folders(shop, gallery="database")
    assert str(shop / "database") in str(caught.value)
    assert "train/, query/, database/" in str(caught.value)
    assert "0002_c1_000451.jpg" in str(caught.value)


def test_a_set_may_lack_splits(shop: Path) -> None:
    assert [len(split) for split in from_folders(shop, query=None, gallery=None)] == [3, 0, 0]


def test_another_pattern(tmp_path: Path) -> None:
    _touch(tmp_path / "train", "cam2-id5.jpg")
    pattern = r"cam(?P<camid>\d+)-id(?P<pid>\d+)"
    splits = from_folders(tmp_path, query=None, gallery=None, pattern=pattern)
    assert splits.train[0][1:3] == (5, 2)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(?P<pid>\d+", "is not one"),
        (r"(?P<pid>\d+)_(\d)", "lacks a group"),
        (r"(?P<pid>c)(?P<camid>\d+)", "pid='c'"),
        (r"person(?P<pid>\d+)(?P<camid>\d+)", "does not match the pattern"),
    ],
)
def test_a_pattern_that_cannot_serve_is_refused(shop: Path, pattern: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_folders(shop, pattern=pattern)


def test_a_few_strangers_are_told_and_left_out(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (shop / "train" / "thumbnail.jpg").touch()
    with caplog.at_level(logging.WARNING, "reidcore"):
        assert len(from_folders(shop).train) == 3
    assert "1 of 4 images left out" in caplog.text
    assert "thumbnail.jpg" in caplog.text
