"""Read many files with several processes."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

import numpy as np

from reid_plugins_inspect.checks.image_stats import STATS_DTYPE, ImageStats, examine
from reidcore.data import VIEWER, ImageReading
from reidcore.errors import DataError
from reidcore.utils import usable_cpus

Result = TypeVar("Result")

Advance = Callable[[int], None]

PIECE = 64
"""How many files a process is given at a time."""


def scan_files(
    paths: Sequence[str],
    workers: int | None = None,
    advance: Advance = lambda count: None,
    reading: ImageReading = VIEWER,
) -> tuple[ImageStats, dict[int, str]]:
    """Return (n,) records of n files, and place -> why it cannot be read.

    Args:
        paths: Image files.
        workers: Number of processes; as many as there are CPUs if None, 0 to read here.
        advance: Called with the number of files that were read since.
        reading: How images are read.
    """
    image_stats = np.zeros(len(paths), dtype=STATS_DTYPE)
    unreadable: dict[int, str] = {}
    for begin, (some, why) in in_pieces(partial(examine, reading=reading), paths, workers):
        image_stats[begin : begin + len(some)] = some
        unreadable |= {begin + place: reason for place, reason in why.items()}
        advance(len(some))
    return image_stats, unreadable


def in_pieces(
    work: Callable[[Sequence[str]], Result], paths: Sequence[str], workers: int | None = None
) -> Iterator[tuple[int, Result]]:
    """Yield, in order, the place of the first path of each piece and what the work on it gave.

    Args:
        work: What each process does with its paths; a function of a module.
        paths: All of them.
        workers: Number of processes; as many as there are CPUs if None, 0 to work here.

    Raises:
        DataError: One of the processes was killed.
    """
    begins = range(0, len(paths), PIECE)
    workers = usable_cpus() if workers is None else workers
    if workers < 1 or len(begins) < 2:
        for begin in begins:
            yield begin, work(paths[begin : begin + PIECE])
        return
    # A fork has the modules that are imported; its first file comes a second sooner.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts)
    try:
        waiting: list[tuple[int, Future[Result]]] = []
        for begin in begins:
            waiting.append((begin, pool.submit(work, paths[begin : begin + PIECE])))
            if len(waiting) > 4 * workers:
                place, future = waiting.pop(0)
                yield place, future.result()
        for place, future in waiting:
            yield place, future.result()
    except BrokenProcessPool as error:
        raise DataError(
            "a process that reads images was killed",
            "Most often memory ran out: use fewer processes (--workers 1, or 0 for none).",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
