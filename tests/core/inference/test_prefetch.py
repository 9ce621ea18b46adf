"""Reading ahead: order, bounds and failures."""

from __future__ import annotations

import threading
import time

import pytest

from reidcore.inference.prefetch import prefetch


@pytest.mark.parametrize("workers", [0, 1, 4])
@pytest.mark.parametrize("count", [0, 1, 6, 7])
def test_items_come_in_order_and_in_equal_batches(workers, count) -> None:
    def read(item: int) -> int:
        time.sleep(0.001 * (item % 3))
        return -item

    batches = list(prefetch(range(count), read, 3, workers))
    assert [item for batch in batches for item in batch] == [-item for item in range(count)]
    assert all(len(batch) == 3 for batch in batches[:-1])


def test_readers_work_side_by_side() -> None:
    together = threading.Barrier(3, timeout=5)
    assert list(prefetch([0, 0, 0], lambda _: together.wait() >= 0, 3, 3)) == [[True] * 3]


def test_a_failure_arrives_and_stops_the_readers() -> None:
    started = []

    def read(item: int) -> int:
        started.append(item)
        if item == 1:
            raise OSError("no")
        return item

    with pytest.raises(OSError, match="no"):
        list(prefetch(range(1000), read, 2, 2))
    assert len(started) < 20


def test_leaving_early_leaves_the_rest_unread() -> None:
    started = []
    for batch in prefetch(range(1000), started.append, 2, 2):
        assert batch == [None, None]
        break
    time.sleep(0.05)
    assert len(started) < 20
