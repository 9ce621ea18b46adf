from __future__ import annotations

import operator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore.data.sample import Sample
from reidcore.data.table import SampleTable, rebased
from reidcore.errors import DataError

ROWS = [("/d/a.jpg", 7, 1), ("/d/b.jpg", 3, 1), ("/d/c.jpg", 7, 4)]


def test_three_and_four_tuples_samples_and_path_objects_make_the_same_table() -> None:
    samples = SampleTable.of([Sample(path, pid, camid) for path, pid, camid in ROWS])
    for other in (
        ROWS,
        [(*row, 0) for row in ROWS],
        [list(row) for row in ROWS],
        [(Path(path), np.int64(pid), camid) for path, pid, camid in ROWS],
        samples,
    ):
        assert list(SampleTable.of(other)) == list(samples)
    assert samples[1] == Sample("/d/b.jpg", 3, 1, 0)
    assert type(samples[1].pid) is int


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (("/d/x.jpg", 1), "item 1 of 'train' of shop is ('/d/x.jpg', 1)"),
        ("/d/x.jpg", "item 1 of 'train' of shop is '/d/x.jpg'"),
        (("/d/x.jpg", "1", 2), "item 1 of 'train' of shop has pid='1'"),
        (("/d/x.jpg", 1, 2.5), "item 1 of 'train' of shop has camid=2.5"),
        (("/d/x.jpg", True, 2), "item 1 of 'train' of shop has pid=True"),
        ((None, 1, 2), "item 1 of 'train' of shop has the path None"),
        (((), 1, 2), "item 1 of 'train' of shop has the path ()"),
    ],
)
def test_a_malformed_item_is_named(item: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        SampleTable.of([ROWS[0], item], "'train' of shop")  # type: ignore[list-item]
    assert words in str(caught.value)


def test_a_tracklet_keeps_its_frames() -> None:
    table = SampleTable.of([(["/d/1.jpg", "/d/2.jpg"], 5, 0)])
    assert table[0].path == ("/d/1.jpg", "/d/2.jpg")


def test_slices_masks_and_further_columns() -> None:
    table = SampleTable.of(ROWS, columns={"clothes": np.array([5, 6, 7])})
    assert list(table[1:]) == list(table)[1:]
    assert table.take(np.array([True, False, True])).columns["clothes"].tolist() == [5, 7]
    assert SampleTable.joined([table, table]).columns["clothes"].tolist() == [5, 6, 7] * 2
    assert "clothes" not in SampleTable.joined([table, SampleTable.of(ROWS)]).columns
    with pytest.raises(DataError, match="differ in length"):
        SampleTable.of(ROWS, columns={"clothes": np.array([5])})


@given(st.lists(st.integers(-5, 10**12), max_size=40))
def test_relabelling_is_dense_order_preserving_and_done_once(pids: list[int]) -> None:
    table = SampleTable.of([(f"{n}.jpg", pid, 0) for n, pid in enumerate(pids)])
    labels = table.relabelled().pids
    assert set(labels.tolist()) == set(range(len(set(pids))))
    for first, second in zip(range(len(pids)), range(1, len(pids)), strict=False):
        assert (pids[first] < pids[second]) == (labels[first] < labels[second])
    assert table.relabelled().relabelled().pids.tolist() == labels.tolist()


def test_counts() -> None:
    assert SampleTable.of(ROWS).counts == (2, 3, 2)
    assert SampleTable.of([]).counts == (0, 0, 0)


def test_distinct_keeps_the_first_of_a_path() -> None:
    table = SampleTable.of([*ROWS, ("/d/a.jpg", 99, 9)])
    assert list(table.distinct()) == list(SampleTable.of(ROWS))


def test_the_fingerprint_moves_with_the_folder_and_tells_labels_order_and_names() -> None:
    def fingerprint(rows: list[tuple[str, int, int]]) -> str:
        return SampleTable.of(rows).fingerprint()

    here = fingerprint(ROWS)
    assert here == fingerprint([(f"/else/where{path}", pid, cam) for path, pid, cam in ROWS])
    changed = [
        [*ROWS[:2], ("/d/c.jpg", 8, 4)],
        [*ROWS[:2], ("/d/c.jpg", 7, 5)],
        [*ROWS[:2], ("/d/e.jpg", 7, 4)],
        ROWS[::-1],
        ROWS[:2],
    ]
    assert len({here, *map(fingerprint, changed)}) == 6
    below = [("/d/train/a.jpg", 1, 1), ("/d/extra/a.jpg", 1, 1)]
    assert fingerprint(below) != fingerprint([("/d/train/a.jpg", 1, 1), ("/d/train/a.jpg", 1, 1)])
    assert SampleTable.of([]).fingerprint() == SampleTable.of([]).fingerprint()


TABLES = st.lists(
    st.lists(st.tuples(st.just("x.jpg"), st.integers(0, 9), st.integers(-2, 9)), max_size=8),
    min_size=1,
    max_size=4,
)


@given(TABLES)
def test_nothing_of_two_sources_meets(rows: list[list[tuple[str, int, int]]]) -> None:
    tables = [SampleTable.of(table) for table in rows]
    apart = rebased(tables)
    whole = SampleTable.joined(apart)
    assert whole.counts.ids == sum(table.counts.ids for table in tables)
    assert whole.counts.cameras == sum(table.counts.cameras for table in tables)
    assert whole.pids.tolist() == whole.relabelled().pids.tolist()
    for before, after in zip(tables, apart, strict=True):
        assert len(set(before.camids.tolist())) == len(set(after.camids.tolist()))


def test_cameras_numbered_with_gaps_do_not_collide() -> None:
    first = SampleTable.of([("a.jpg", 1, 0), ("b.jpg", 1, 5)])
    second = SampleTable.of([("c.jpg", 1, 4), ("d.jpg", 1, 6)])
    assert [table.camids.tolist() for table in rebased([first, second])] == [[0, 5], [6, 8]]


def test_outfits_do_not_meet_and_attributes_keep_their_meaning() -> None:
    def dressed(clothes: list[int], bag: list[int]) -> SampleTable:
        columns = {"clothes": np.array(clothes), "attribute_bag": np.array(bag)}
        rows = [(f"{number}.jpg", number, 0) for number in range(len(clothes))]
        return SampleTable.of(rows, columns=columns)

    bare = SampleTable.of([("x.jpg", 0, 0)])
    tables = rebased([dressed([0, 3], [1, 0]), bare, dressed([0, -1, 2], [1, 1, -1])])
    assert [table.columns.get("clothes", np.array([])).tolist() for table in tables] == [
        [0, 3],
        [],
        [4, -1, 6],
    ]
    assert tables[2].columns["attribute_bag"].tolist() == [1, 1, -1]


def test_tables_and_lists_of_samples_are_added_as_lists() -> None:
    table = SampleTable.of([("a.png", 1, 0), ("b.png", 2, 1)])
    extra = Sample("c.png", 3, 1, 0)
    assert operator.add(table, [extra]) == [*table, extra]
    assert operator.add([extra], table) == [extra, *table]
    assert operator.add(table, table) == [*table, *table]
