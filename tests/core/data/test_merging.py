from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reidcore.data.dataset import ImageDataset
from reidcore.data.merging import merged, rebased
from reidcore.data.table import SampleTable

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


def test_each_part_is_read_by_its_own_dataset() -> None:
    class Loud(ImageDataset):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"img": f"loud {self.data[index].path}", "pid": self.data[index].pid}

    class Quiet(Loud):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return {**super().__getitem__(index), "img": f"quiet {self.data[index].path}"}

    loud = Loud([("a.jpg", 8, 0), ("b.jpg", 9, 0)], [], [], verbose=False)
    quiet = Quiet([("c.jpg", 8, 0)], [("q.jpg", 1, 1)], [], verbose=False)
    both = merged([loud, quiet, loud])
    assert [both[index]["img"] for index in range(len(both))] == [
        "loud a.jpg",
        "loud b.jpg",
        "quiet c.jpg",
        "loud a.jpg",
        "loud b.jpg",
    ]
    assert [both[index]["pid"] for index in range(len(both))] == [0, 1, 2, 3, 4]
    assert [sample.pid for sample in loud.train] == [0, 1]


def test_merging_keeps_the_number_of_views_of_an_image() -> None:
    part = ImageDataset([("a.jpg", 8, 0)], [], [], verbose=False, k_tfm=3)
    assert [view.k_tfm for view in merged([part, part]).parts] == [3, 3]
