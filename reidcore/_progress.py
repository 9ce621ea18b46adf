"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reidcore._logging import is_quiet

_log = logging.getLogger(__name__)

Advance = Callable[[int], None]
"""Called with how much more is done."""

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(doing: str, total: int | None, is_bytes: bool = False) -> Iterator[Advance]:
    """Yield a function to be told of what is done.

    On a terminal there is a bar on standard error, gone at the end; elsewhere a log record at
    level INFO every ten seconds.

    Args:
        doing: what is done, before the bar.
        total: how much there is of it; None if nobody knows.
        is_bytes: whether that is a number of bytes.
    """
    if is_quiet() or sys.stderr is None or not sys.stderr.isatty():
        yield _lines(doing, total, is_bytes)
        return
    from rich import progress as bars
    from rich.console import Console

    amounts = (
        (bars.DownloadColumn(), bars.TransferSpeedColumn())
        if is_bytes
        else (bars.MofNCompleteColumn(),)
    )
    text, remaining = bars.TextColumn("{task.description}"), bars.TimeRemainingColumn()
    columns = (text, bars.BarColumn(), *amounts, remaining)
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(doing, total=total)
        yield lambda count: shown.advance(task, count)


def _lines(doing: str, total: int | None, is_bytes: bool) -> Advance:
    done, told = 0, time.monotonic()
    unit = " bytes" if is_bytes else ""
    end = "" if total is None else f" of {total:,}"

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            _log.info("%s: %s%s%s", doing, f"{done:,}", end, unit)

    return advance
