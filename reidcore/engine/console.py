"""What a run shows while it works: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
)
from rich.table import Column

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Position:
    """Where a run is; counts are of what is done.

    Attributes:
        epoch: the epoch under way, from 1.
        max_epoch: the last epoch.
        batch: batches done in it.
        num_batches: batches in an epoch.
    """

    epoch: int
    max_epoch: int
    batch: int
    num_batches: int

    @property
    def batches_left(self) -> int:
        """Batches still to do in the whole run."""
        return (self.max_epoch - self.epoch + 1) * self.num_batches - self.batch


class Display(Protocol):
    """What shows the progress of a run."""

    def track(self, loader: Iterable[Any], label: str) -> Iterator[Any]:
        """Yield a loader's batches, showing how far they are."""

    def step(
        self, position: Position, figures: Callable[[], str], seconds_per_batch: float
    ) -> bool:
        """Show a training batch, if it is time to, and say whether it was.

        ``figures`` reads numbers off the device, which waits for it: call it only to show them.
        """

    def close(self) -> None:
        """Stop showing."""


class PlainDisplay:
    """A line every ``print_freq`` batches, for logs and pipes."""

    def __init__(self, print_freq: int) -> None:
        self.print_freq = print_freq

    def track(self, loader: Iterable[Any], label: str) -> Iterator[Any]:
        """Yield a loader's batches, saying what they are and how long they took."""
        started, images = time.perf_counter(), 0
        for batch in loader:
            images += len(batch["impath"])
            yield batch
        seconds = time.perf_counter() - started
        _log.info("%s: %d images in %.1f s", label, images, seconds)

    def step(
        self, position: Position, figures: Callable[[], str], seconds_per_batch: float
    ) -> bool:
        """Log the batch, if it is time to."""
        if position.batch % self.print_freq and position.batch != position.num_batches:
            return False
        eta = timedelta(seconds=round(position.batches_left * seconds_per_batch))
        _log.info(
            "epoch: [%d/%d][%d/%d]  time %.3f  eta %s  %s",
            position.epoch,
            position.max_epoch,
            position.batch,
            position.num_batches,
            seconds_per_batch,
            eta,
            figures(),
        )
        return True

    def close(self) -> None:
        """Nothing to stop."""


class BarDisplay:
    """A live bar; each epoch leaves one finished bar behind.

    Args:
        console: where it is drawn.
        print_freq: batches between two readings of the figures.
    """

    def __init__(self, console: Console, print_freq: int) -> None:
        self.print_freq = print_freq
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[eta]}", style="cyan"),
            # Last, since it is what a narrow terminal may cut off.
            TextColumn(
                "{task.fields[figures]}", table_column=Column(no_wrap=True, overflow="ellipsis")
            ),
            console=console,
        )
        self._task: TaskID | None = None
        self._epoch = 0
        self._progress.start()

    def track(self, loader: Iterable[Any], label: str) -> Iterator[Any]:
        """Yield a loader's batches under a bar of their own."""
        total = len(loader) if isinstance(loader, Sized) else None
        task = self._progress.add_task(label, total=total, figures="", eta="")
        for batch in loader:
            yield batch
            self._progress.advance(task)

    def step(
        self, position: Position, figures: Callable[[], str], seconds_per_batch: float
    ) -> bool:
        """Move the epoch's bar; read the figures if it is time to."""
        if self._task is None or position.epoch != self._epoch:
            self._epoch = position.epoch
            label = f"epoch {position.epoch}/{position.max_epoch}"
            self._task = self._progress.add_task(
                label, total=position.num_batches, figures="", eta=""
            )
        eta = timedelta(seconds=round(position.batches_left * seconds_per_batch))
        self._progress.update(self._task, completed=position.batch, eta=f"eta {eta}")
        is_time = not position.batch % self.print_freq or position.batch == position.num_batches
        if is_time:
            self._progress.update(self._task, figures=figures())
        return is_time

    def close(self) -> None:
        """Leave the bars as they are."""
        self._progress.stop()


def make_display(print_freq: int) -> Display:
    """Return a bar if standard output is a terminal, plain lines otherwise."""
    if sys.stdout.isatty():
        return BarDisplay(Console(), print_freq)
    return PlainDisplay(print_freq)


def show(renderable: Any) -> None:
    """Show a table: in colour on a terminal, as plain text through the log elsewhere."""
    if sys.stdout.isatty():
        Console().print(renderable)
        return
    plain = Console(width=100, color_system=None, legacy_windows=False)
    with plain.capture() as captured:
        plain.print(renderable)
    _log.info("%s", captured.get().rstrip())
