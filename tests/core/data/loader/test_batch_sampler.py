from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore.data.loader import batch_sampler
from reidcore.data.loader.batch_sampler import (
    EpochBatches,
    FileOrder,
    ItemKey,
    check_shares,
    stretch_of,
)
from reidcore.errors import ConfigError, PluginDefectError


class Fixed:
    def __init__(self, order: Any) -> None:
        self.given = order

    def order(self, epoch: int) -> Any:
        return self.given


@given(st.lists(st.integers(0, 4), max_size=30))
def test_a_row_shown_again_is_numbered(order: list[int]) -> None:
    made = list(EpochBatches(Fixed(np.array(order, dtype=np.int64)), 5, 7))
    keys = [key for batch in made for key in batch]
    assert [key.row for key in keys] == order
    assert [key.repeat for key in keys] == [order[:n].count(row) for n, row in enumerate(order)]


@pytest.mark.parametrize(("drop_last", "sizes"), [(True, [4, 4]), (False, [4, 4, 2])])
def test_the_last_batch(drop_last: bool, sizes: list[int]) -> None:
    made = EpochBatches(FileOrder(10), 10, 4, drop_last=drop_last)
    assert [len(batch) for batch in made] == sizes
    assert len(made) == len(sizes)
    assert [rows.tolist() for rows in made.rows()] == [[key.row for key in each] for each in made]


@given(st.integers(0, 60), st.integers(1, 9))
def test_stretches_follow_one_another_and_are_equal_to_within_one(total: int, of: int) -> None:
    stretches = [stretch_of(total, number, of) for number in range(of)]
    assert list(chain(*stretches)) == list(range(total))
    sizes = [len(each) for each in stretches]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5))
def test_processes_that_test_have_whole_batches_of_one(rows: int, size: int, world: int) -> None:
    batches = EpochBatches(FileOrder(rows), rows, size)
    alone, shared = list(batches), []
    for rank in range(world):
        batches.stretch = (rank, world)
        share = list(batches)
        assert len(batches) == len(share)
        shared += share
    assert shared == alone


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_each_global_batch(monkeypatch: pytest.MonkeyPatch, world: int) -> None:
    def of_rank(rank: int, world: int) -> list[list[ItemKey]]:
        monkeypatch.setattr(batch_sampler, "rank_and_world", lambda: (rank, world))
        return list(EpochBatches(FileOrder(20), 20, 6, drop_last=True, sharded=True))

    alone = of_rank(0, 1)
    shares = [of_rank(rank, world) for rank in range(world)]
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == alone
    assert {len(share[0]) for share in shares} == {6 // world}


def test_processes_share_a_rest_or_say_that_they_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_rank(rank: int, world: int) -> list[list[ItemKey]]:
        monkeypatch.setattr(batch_sampler, "rank_and_world", lambda: (rank, world))
        return list(EpochBatches(FileOrder(20), 20, 12, sharded=True))

    alone, shares = of_rank(0, 1), [of_rank(rank, 2) for rank in range(2)]
    assert [len(batch) for batch in alone] == [12, 8]
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == alone
    with pytest.raises(ConfigError, match=r"last batch.*8 images, which 3.*train\.drop_last=true"):
        of_rank(0, 3)


@pytest.mark.parametrize(("size", "nearest"), [(6, "4 or 8"), (3, "4"), (9, "8 or 12")])
def test_a_batch_that_processes_cannot_share_is_refused(
    monkeypatch: pytest.MonkeyPatch, size: int, nearest: str
) -> None:
    monkeypatch.setattr(batch_sampler, "rank_and_world", lambda: (0, 4))
    with pytest.raises(ConfigError, match=f"by 4 processes.*train.batch_size to {nearest}$"):
        list(EpochBatches(FileOrder(20), 20, size, sharded=True))
    with pytest.raises(ConfigError, match=f"train.batch_size to {nearest}$"):
        check_shares(size)
    check_shares(8)


@pytest.mark.parametrize("order", [[0, 5], [-1], [[0, 1]], [0.5]])
def test_a_sampler_s_nonsense_is_refused(order: Any) -> None:
    with pytest.raises(PluginDefectError, match="Fixed"):
        len(EpochBatches(Fixed(np.array(order)), 5, 2))
