from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reidcore.data.folders import from_folders
from reidcore.data.table import SampleTable
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
        (r"(?P<id>\d+)_c(?P<camid>\d)", "lacks a group pid"),
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


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("site-3_c4_x.jpg", (3, 4)),
        ("0003_c1_x.jpg", (3, 1)),
        ("a-1_c2.jpg", (1, 2)),
        ("site--12_c5.jpg", (12, 5)),
        ("-12_c5.jpg", (12, 5)),
        ("2024-05-07_c1.jpg", (7, 1)),
        ("x_-1_c1.jpg", (1, 1)),
        ("-10_c1.jpg", (10, 1)),
    ],
)
def test_a_hyphen_before_a_number_is_a_separator(tmp_path: Path, name: str, labels) -> None:
    _touch(tmp_path / "train", name)
    assert from_folders(tmp_path, query=None, gallery=None).train[0][1:3] == labels


def test_names_with_and_without_separators_are_read_alike(tmp_path: Path) -> None:
    for split in ("train", "query", "gallery"):
        _touch(tmp_path / split, "site-3_c4_x.jpg", "0003_c1_x.jpg", "site-5_c2.jpg")
    for split in from_folders(tmp_path):
        assert sorted(sample[1] for sample in split) == [3, 3, 5]


@pytest.mark.parametrize(
    ("pattern", "name", "words"),
    [
        (r"(?P<pid>-?\d+)_c(?P<camid>\d+)", "site-3_c4.jpg", "reads pid '-3' .* separates"),
        (r"(?P<pid>\d+)_c(?P<camid>\d+)?", "3_c.jpg", "reads camid '' in '3_c.jpg'.*is empty"),
        (r"(?P<pid>[\d.]+)_c(?P<camid>\d+)", "1.5_c4.jpg", "pid '1.5' .* is no whole number"),
    ],
)
def test_what_is_no_label_is_told(tmp_path: Path, pattern, name, words) -> None:
    _touch(tmp_path / "train", name)
    with pytest.raises(DataError, match=words):
        from_folders(tmp_path, query=None, gallery=None, pattern=pattern)


def test_what_is_left_out_is_told_with_three_names(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.heic", "b.HEIC", "c.svg", "d.txt", "e.heif", "f.heic"):
        (shop / "gallery" / name).touch()
    with caplog.at_level(logging.INFO, "reidcore"):
        from_folders(shop)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("INFO", "1 file left out (no images): 'notes.txt'"),
        (
            "WARNING",
            "4 images left out (convert them, or let a plugin register pillow-heif): "
            + ", ".join(repr(str(shop / "gallery" / name)) for name in ("a.heic", "b.HEIC"))
            + f", {str(shop / 'gallery' / 'e.heif')!r} and 1 more",
        ),
        (
            "WARNING",
            "1 image left out (Pillow does not read them: convert them): "
            f"{str(shop / 'gallery' / 'c.svg')!r}",
        ),
        ("INFO", "1 file left out (no images): 'd.txt'"),
        ("INFO", "1 image of identity -1 left out (junk): '-1_c2.jpg'"),
    ]


def test_a_pattern_with_a_slash_reads_the_path_below_the_folder(tmp_path: Path) -> None:
    _touch(tmp_path / "train" / "-1", "c1_a.jpg")
    _touch(tmp_path / "train" / "0007", "c2_a.jpg")
    pattern = r"(?P<pid>-1|\d+)/c(?P<camid>\d+)_"
    splits = from_folders(tmp_path, query=None, gallery=None, pattern=pattern)
    assert [sample[1:3] for sample in splits.train] == [(7, 2)]


@pytest.mark.parametrize("pid", ["anna", "1_2", "\u0663", "9" * 20, "9" * 200])
def test_names_are_kept_and_are_one_in_all_folders(tmp_path: Path, pid: str) -> None:
    _touch(tmp_path / "train", f"{pid}_cfront_1.jpg", "aaa_cback_1.jpg")
    _touch(tmp_path / "query", f"{pid}_cback_2.jpg")
    _touch(tmp_path / "gallery", f"{pid}_cfront_3.jpg", "-1_cback_1.jpg")
    pattern = r"(?P<pid>.+)_c(?P<camid>[a-z]+)_"
    splits = [SampleTable.of(split) for split in from_folders(tmp_path, pattern=pattern)]
    assert list(map(len, splits)) == [2, 1, 1]
    people = [{table.names.pid(sample.pid) for sample in table} for table in splits]
    assert people == [{"aaa", pid}, {pid}, {pid}]
    cameras = [{table.names.camid(sample.camid) for sample in table} for table in splits]
    assert cameras == [{"front", "back"}, {"back"}, {"front"}]


def test_a_pattern_without_cameras_is_read_as_a_table_without_them(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    splits = from_folders(shop, pattern=r"(?P<pid>^-0*1|\d+)_")
    assert [{sample[2] for sample in split} for split in splits] == [{0}, {0}, {1}]
    assert SampleTable.of(splits.query).names.camid(0) == "unknown"
    assert "has no camid: queries count as seen by one camera" in caplog.text
