"""Reading the next batches while one is computed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from reidcore._cpus import usable_cpus

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # batches that are read while one is computed


def prefetch(
    items: Iterable[Item], read: Callable[[Item], Result], size: int, workers: int
) -> Iterator[list[Result]]:
    """Yield what ``read`` makes of the items, in order, ``size`` at a time.

    The readers are threads: decoders and resizers work outside of Python's lock. No more than a few
    batches are held, however many items there are.

    Args:
        items: what to read; asked for no more than is about to be read.
        read: called in a thread, or here if ``workers`` is 0; what it raises is raised here.
        size: how many to yield together.
        workers: number of threads.
    """
    waiting = iter(items)
    if workers == 0:
        while batch := [read(item) for item in islice(waiting, size)]:
            yield batch
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="reidcore-read") as pool:
        pending: deque[Future[Result]] = deque()
        try:
            while True:
                room = (_AHEAD + 1) * size - len(pending)
                pending.extend(pool.submit(read, item) for item in islice(waiting, room))
                if not pending:
                    return
                yield [pending.popleft().result() for _ in range(min(size, len(pending)))]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def default_workers() -> int:
    """Return how many threads read, at most eight: one a CPU that this process may use."""
    return min(8, usable_cpus())
