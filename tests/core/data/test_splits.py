"""Splits by identity, in which every query has a match, and datasets written to disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore import data
from reidcore.data import (
    LabelNames,
    SampleTable,
    Splits,
    seeded_order,
    split_identities,
    write_layout,
)
from reidcore.data.label_names import NUMBERS
from reidcore.data.table import rebased
from reidcore.errors import DataError
from reidcore.testing import fake_dataset

ROWS = st.lists(st.tuples(st.integers(-1, 8), st.integers(0, 3)), min_size=1, max_size=40).map(
    lambda rows: [(f"/d/{n:03d}.jpg", pid, camid) for n, (pid, camid) in enumerate(rows)]
)


@given(ROWS, st.floats(0, 1), st.integers(0, 99))
def test_nobody_tested_is_learnt_from_and_every_query_has_a_match(rows, test, seed) -> None:
    known = {(pid, path) for path, pid, _ in rows if pid >= 0}
    if len({pid for pid, _ in known}) == len(known):
        with pytest.raises(DataError, match=r"no samples to split|no identity can be searched for"):
            split_identities(rows, 0.5, seed)
        return
    split = split_identities(rows, test, seed)
    train, query, gallery = (list(each) for each in split.splits)
    assert sorted([*train, *query, *gallery]) == sorted((*row, 0) for row in rows if row[1] >= 0)
    learnt = {sample.pid for sample in train}
    tested = {sample.pid for sample in gallery}
    assert not learnt & tested
    assert {sample.pid for sample in query} == tested
    for each in query:
        others = [s for s in gallery if s.pid == each.pid]
        assert [s for s in others if not split.across_cameras or s.camid != each.camid]


@given(ROWS, st.randoms())
def test_the_order_of_the_samples_and_their_folder_do_not_matter(rows, random) -> None:
    other = [(path.replace("/d/", "/elsewhere/x/"), pid, camid) for path, pid, camid in rows]
    random.shuffle(other)
    try:
        first = split_identities(rows, 0.5, 3).splits
    except DataError:
        return
    second = split_identities(other, 0.5, 3).splits
    for one, two in zip(first, second, strict=True):
        assert {Path(s.path).name for s in one} == {Path(s.path).name for s in two}


def samples(*counts: tuple[int, int, int]) -> list[tuple[str, int, int]]:
    """Return images of (identity, camera, how many)."""
    return [
        (f"/d/{pid}_{camid}_{number}.jpg", pid, camid)
        for pid, camid, count in counts
        for number in range(count)
    ]


def test_the_decisions_are_explained() -> None:
    rows = samples((1, 0, 3), (1, 1, 1), (2, 0, 2), (3, 0, 1), (3, 1, 1), (-1, 0, 4))
    split = split_identities(rows, test=1.0)
    assert split.across_cameras
    assert split.notes == (
        "identities: 3 by 2 cameras, 1 to learn from, 2 to test with",
        "identities with one camera only, which cannot be searched for and are learnt from: 1",
        "test identities asked for: 3",
        "samples of negative identities, left out: 4",
    )
    # Of identity 1 camera 0 has several images, of identity 3 no camera has.
    assert sorted(s.pid for s in split.splits.query) == [1, 3]
    assert len(split.splits.gallery) == 4


def test_where_cameras_do_not_overlap_all_images_are_searched() -> None:
    split = split_identities(samples((1, 0, 3), (2, 1, 2), (3, 0, 1)), test=1.0)
    assert not split.across_cameras
    assert any("test.protocol=any_camera" in note for note in split.notes)
    assert sorted(s.pid for s in split.splits.query) == [1, 2]
    assert {s.pid for s in split.splits.train} == {3}


def test_a_validation_set_is_split_from_the_training_samples() -> None:
    rows = samples(*((pid, camid, 2) for pid in range(20) for camid in range(2)))
    whole = split_identities(rows, test=0.5, seed=1)
    validation = split_identities(whole.splits.train, test=0.2, seed=1)
    counts = [SampleTable.of(each).counts.ids for each in (*validation.splits, whole.splits.query)]
    assert counts == [8, 2, 2, 10]


def test_a_split_is_the_same_for_ever() -> None:
    # These figures are a promise: results of other years compare with them.
    rows = samples(*((pid, camid, 2) for pid in range(6) for camid in range(2)))
    query = [Path(s.path).stem for s in split_identities(rows, test=0.5, seed=0).splits.query]
    assert query == ["1_0_0", "1_1_0", "2_0_0", "2_1_1", "4_0_0", "4_1_0"]
    assert seeded_order(range(6), "0") == [4, 2, 1, 5, 0, 3]


@pytest.mark.parametrize(
    ("rows", "test", "words"),
    [
        (samples((1, 0, 1), (2, 1, 1)), 0.5, "no identity can be searched for: each has one image"),
        (samples((-1, 0, 3)), 0.5, "no samples to split"),
        (samples((1, 0, 3)), 1.5, "the share of test identities is 1.5"),
    ],
)
def test_what_cannot_be_split_is_told(rows, test, words) -> None:
    with pytest.raises(DataError, match=words):
        split_identities(rows, test)


@pytest.fixture
def splits(tmp_path: Path) -> Splits:
    return fake_dataset(tmp_path / "source", ids=2)


def labels(samples: data.dataset.Samples) -> list[tuple[int, int]]:
    return [(sample.pid, sample.camid) for sample in SampleTable.of(samples)]


def test_a_folder_is_read_back(splits: Splits, tmp_path: Path) -> None:
    written = write_layout(splits, tmp_path / "made")
    again = data.from_folders(written)
    for before, after in zip(splits, again, strict=True):
        assert labels(before) == labels(after)
        for old, new in zip(before, after, strict=True):
            assert Path(old.path).read_bytes() == Path(new.path).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "source"]
    with pytest.raises(DataError, match="exists already"):
        write_layout(splits, tmp_path / "made")


def test_a_table_is_read_back(splits: Splits, tmp_path: Path) -> None:
    clothes = [np.arange(len(split)) for split in splits]
    tables = [
        SampleTable.of(split, columns={"clothes": worn})
        for split, worn in zip(splits, clothes, strict=True)
    ]
    write_layout(Splits(*tables), tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text().splitlines()[:2] == [
        "path,pid,camid,split,clothes",
        "source/train/0001_c1_000000.png,1,1,train,0",
    ]
    again = data.init_image_dataset("csv", root=tmp_path, file="labels.csv")
    for before, after, worn in zip(splits, again_tables(again), clothes, strict=True):
        assert [sample.path for sample in before] == list(after.paths)
        assert after.columns["clothes"].tolist() == worn.tolist()
    assert labels(again.gallery) == labels(splits.gallery)


def again_tables(dataset: data.Dataset) -> list[SampleTable]:
    return [SampleTable.of(split) for split in (dataset.train, dataset.query, dataset.gallery)]


@pytest.mark.parametrize("target", ["made", "labels.csv"])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, target: str) -> None:
    tracklets = Splits([(("a.jpg", "b.jpg"), 1, 0)], [], [])
    with pytest.raises(DataError, match="'train' holds tracklets"):
        write_layout(tracklets, tmp_path / target)
    odd = Splits([("a.jpg", 1, 0), ("b\udcff.jpg", 1, 0)], [], [])
    with pytest.raises(DataError, match=r"no image 'a\.jpg'|line 3 of the table"):
        write_layout(odd, tmp_path / target)
    assert not list(tmp_path.iterdir())


def test_names_that_would_not_be_read_back_are_refused(tmp_path: Path) -> None:
    for path, pid, camid in (("a.psd", 1, 0), ("a.jpg", 1, -1), ("a.jpg", -3, 0)):
        (tmp_path / path).touch()
        with pytest.raises(DataError, match="would not be read back"):
            write_layout(Splits([(str(tmp_path / path), pid, camid)], [], []), tmp_path / "made")


def test_junk_is_read_back_as_junk(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    rows = [(str(tmp_path / "a.jpg"), pid, 2) for pid in (-1, 0, 1)]
    made = write_layout(Splits(rows, [], []), tmp_path / "made")
    assert sorted(path.name for path in (made / "train").iterdir()) == [
        "-1_c2_000000.jpg",
        "0000_c2_000001.jpg",
        "0001_c2_000002.jpg",
    ]
    (made / "train" / "-001_c2_000003.jpg").touch()  # as earlier versions wrote it
    assert [s[1] for s in data.from_folders(made, query=None, gallery=None).train] == [0, 1]


def test_a_table_keeps_names_and_a_folder_says_that_it_does_not(
    splits: Splits, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = LabelNames({pid: f"p{pid}" for pid in range(20)}, dict.fromkeys(range(9), "gate"))
    named = Splits(*(replace(SampleTable.of(split), names=names) for split in splits))
    table = write_layout(named, tmp_path / "named.csv")
    again = data.init_image_dataset("csv", root=tmp_path, file=table.name)
    for before, after in zip(named, (again.train, again.query, again.gallery), strict=True):
        expected = [names.pid(sample.pid) for sample in before]
        assert [after.names.pid(sample.pid) for sample in after] == expected
        # Cameras of one name would become one.
        assert [sample.camid for sample in after] == [sample.camid for sample in before]
    write_layout(named, tmp_path / "made")
    assert "a table keeps names" in caplog.text


def written_and_read(splits: Splits, folder: Path) -> list[SampleTable]:
    file = write_layout(splits, folder / "made.csv")
    again = data.init_image_dataset("csv", root=folder, file=file.name)
    return [SampleTable.of(getattr(again, name)) for name in Splits._fields]


def test_cameras_of_two_sources_do_not_become_one_in_a_table(tmp_path: Path) -> None:
    first = replace(
        SampleTable.of([(f"/a/{n}.jpg", n, n) for n in range(6)]),
        names=LabelNames(camids={n: str(n + 1) for n in range(6)}),
    )
    second = SampleTable.of([("/b/0.jpg", 0, 5), ("/b/1.jpg", 1, 6)])
    for names in (NUMBERS, LabelNames(camids={5: "6"}), LabelNames(camids={5: "6", 6: "7"})):
        whole = SampleTable.joined(rebased([first, replace(second, names=names)]))
        train, *_ = written_and_read(Splits(whole, [], []), tmp_path)
        assert train.counts.cameras == whole.counts.cameras == 8
        train, query, _ = written_and_read(Splits(whole[:6], whole[6:], whole[6:]), tmp_path)
        assert not set(train.camids.tolist()) & set(query.camids.tolist())


def test_people_numbered_in_each_split_for_itself_keep_their_names(tmp_path: Path) -> None:
    def named(*people: str) -> SampleTable:
        rows = [(f"/{person}/{n}.jpg", n, n % 2) for n, person in enumerate(people)]
        return replace(SampleTable.of(rows), names=LabelNames(dict(enumerate(people))))

    splits = Splits(named("anna", "ben"), named("carl", "ben", "dora"), named("carl", "ben"))
    read = written_and_read(splits, tmp_path)
    query, gallery = read[1:]
    assert [query.names.pid(pid) for pid in query.pids] == ["carl", "ben", "dora"]
    assert [gallery.names.pid(pid) for pid in gallery.pids] == ["carl", "ben"]


def test_where_one_label_has_no_name_numbers_are_written(tmp_path: Path) -> None:
    rows = SampleTable.of([("/a.jpg", 0, 0), ("/b.jpg", 1, 1), ("/c.jpg", -1, 1)])
    half = replace(rows, names=LabelNames({0: "1"}))
    train, *_ = written_and_read(Splits(half, [], []), tmp_path)
    assert len(set(train.pids.tolist())) == 2
    whole = replace(rows, names=LabelNames({0: "1", 1: "x"}))
    assert (tmp_path / "made.csv").read_text().splitlines()[1:] == [
        "/a.jpg,0,0,train",
        "/b.jpg,1,1,train",
        "/c.jpg,-1,1,train",
    ]
    write_layout(Splits(whole, [], []), tmp_path / "whole.csv")
    assert (tmp_path / "whole.csv").read_text().splitlines()[1:] == [
        "/a.jpg,1,0,train",
        "/b.jpg,x,1,train",
        "/c.jpg,-1,1,train",
    ]
