"""Identities held out of training: disjoint, found across cameras, the same ones every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_training.holdout import hold_out

from reidcore.data import ImageDataset, SampleTable, view_of
from reidcore.errors import DataError

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=60)


def source(rows: list[tuple[int, int]], folder: str = "/d") -> ImageDataset:
    """A training view of images of these identities and cameras."""
    samples = [(f"{folder}/{n:03d}.jpg", pid, camid) for n, (pid, camid) in enumerate(rows)]
    return view_of(ImageDataset(samples, [], [], verbose=False), "train")


def people(table: SampleTable) -> set[str]:
    """Return the rows' paths."""
    return {str(path) for path in table.paths}


@given(st.lists(ROWS, min_size=1, max_size=3), st.floats(0.01, 0.99), st.integers(0, 99))
def test_nobody_held_out_is_learnt_from_and_every_query_has_a_match(sources, share, seed) -> None:
    views = {f"set{n}": source(rows, f"/{n}") for n, rows in enumerate(sources)}
    wanted = [max(1, round(share * len({pid for pid, _ in rows}))) for rows in sources]
    leaves_nobody = any(
        count >= len({pid for pid, _ in rows}) for rows, count in zip(sources, wanted, strict=True)
    )
    has_nobody = all(len({pid for pid, _ in rows}) == len(rows) for rows in sources)
    if leaves_nobody or has_nobody:
        with pytest.raises(DataError, match=r"leaves none to learn from|each has one image"):
            hold_out(views, share, seed)
        return
    held = hold_out(views, share, seed)
    tested = held.views(transform=lambda image: image)
    query, gallery = (SampleTable.of(tested[split].data) for split in ("query", "gallery"))
    learnt = [SampleTable.of(view.data) for view in held.train]
    for table in learnt:  # classes are numbered anew
        assert np.array_equal(np.unique(table.pids), np.arange(table.counts.ids))
    # Nothing is lost, and nothing is on two sides.
    parts = [*learnt, query, gallery]
    assert sum(map(len, parts)) == sum(map(len, sources))
    assert len(set.union(*map(people, parts))) == sum(map(len, sources))
    # Whoever is held out is held out whole: an identity is that of its source.
    pid_of = {
        str(path): (name, pid)
        for name, view in views.items()
        for path, pid, *_ in SampleTable.of(view.data)
    }
    tested_people = {pid_of[path] for table in (query, gallery) for path in people(table)}
    assert not tested_people & {pid_of[path] for table in learnt for path in people(table)}
    # Both sides number them alike, apart for each source, and a match is there.
    numbers = {
        (int(pid), pid_of[str(path)]) for table in (query, gallery) for path, pid, *_ in table
    }
    assert len(numbers) == len(tested_people) == len({pid for pid, _ in numbers})
    for path, pid, *_ in query:
        assert (gallery.pids == pid).any(), path


@given(st.integers(0, 200))
def test_each_camera_has_about_its_share_of_those_held_out(seed) -> None:
    rng = np.random.default_rng(5)
    seen = rng.random((200, 6)) < [0.9, 0.8, 0.6, 0.5, 0.4, 0.3]
    seen[:, :2] |= seen.sum(axis=1, keepdims=True) < 2
    rows = [
        (pid, cam) for pid, cam in np.argwhere(np.repeat(seen[:, :, None], 2, 2))[:, :2].tolist()
    ]
    held = hold_out({"set": source(rows)}, 0.25, seed).views(transform=lambda image: image)
    pairs = {(int(pid), int(cam)) for side in held.values() for _, pid, cam, *_ in side.data}
    counts = np.bincount([cam for _, cam in pairs], minlength=6)
    assert len({pid for pid, _ in pairs}) == 50
    # Drawn without regard to cameras they are off by up to 10 of 50.
    assert np.abs(counts - seen.sum(axis=0) / 4).max() <= 3


def test_the_choice_is_that_of_the_seed() -> None:
    rows = [(pid, cam) for pid in range(40) for cam in (0, 1)]
    chosen = [
        people(SampleTable.of(hold_out({"set": source(rows)}, 0.2, seed).tested[0][1]))
        for seed in (1, 1, 2)
    ]
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize(
    ("rows", "share", "message"),
    [
        ([(0, 0), (0, 1)], 0.1, r"holds out 1 of the 1 identity of set, and leaves none to learn"),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 0.9, r"share=0.9 holds out 2 of the 2 identities"),
        ([(0, 0), (1, 1), (2, 0)], 0.3, r"no training identity can be held out for validation"),
    ],
)
def test_a_share_that_leaves_nobody_is_refused(rows, share: float, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        hold_out({"set": source(rows)}, share, seed=0)
    assert "test.select_on" in refused.value.hint
