"""Which items make a batch, and how they become one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from torch.utils.data import default_collate

from reidcore.data.loader.fetcher import Failure, ItemKeys, Items, Skipped
from reidcore.data.loader.packed import PackedBatch
from reidcore.data.sample import SamplePath
from reidcore.data.table import Int64Array
from reidcore.errors import ConfigError, DataError, PluginError

Batch: TypeAlias = dict[str, Any]
"""``img`` (B, 3, height, width) float, a list of such batches where images have several views, or
clips (B, S, 3, height, width); ``pid``, ``camid``, ``dsetid`` (B,) int64; ``impath``, a list of B
paths, or of B tuples of a tracklet's paths; and ``skipped``, a list of (path, reason), only where
images were left out."""


class Paths(list[SamplePath]):
    """The paths of a batch, which a loader that pins memory hands on as they are.

    Left to torch, pinning visits every path, and torch 2.6 makes lists of tuples.
    """

    def pin_memory(self) -> Paths:
        """Return it."""
        return self


class SampleOrder(Protocol):
    """What a sampler is to the core."""

    def order(self, epoch: int) -> Int64Array:
        """Return the rows that an epoch shows, one after the other: (n,) for all processes."""
        ...


class FileOrder:
    """Every row once, first to last.

    Args:
        length: Number of rows.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def order(self, epoch: int) -> Int64Array:
        """Return 0..length-1."""
        return np.arange(self.length, dtype=np.int64)


class EpochBatches:
    """The batches of one epoch after another, as this process sees them.

    A global batch is cut into as many equal stretches as there are processes: N processes show
    together, batch by batch, what one would.

    Args:
        source: Gives each epoch's order.
        num_rows: Number of rows there are.
        batch_size: Number of images in a batch over all processes.
        drop_last: Whether a last batch that is not full is left out.
        sharded: Whether processes share the work; each sees everything otherwise.
    """

    def __init__(
        self,
        source: SampleOrder,
        num_rows: int,
        batch_size: int,
        *,
        drop_last: bool = False,
        sharded: bool = False,
    ) -> None:
        self.source = source
        self.num_rows = num_rows
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sharded = sharded
        self.epoch = 0
        self.skip = 0
        self._cached: tuple[int, Int64Array] | None = None

    @property
    def num_images(self) -> int:
        """How many images the epoch shows, before batches are cut."""
        return len(self._order())

    def __len__(self) -> int:
        full, rest = divmod(self.num_images, self.batch_size)
        return full if self.drop_last or not rest else full + 1

    def __iter__(self) -> Iterator[ItemKeys]:
        order = self._order()
        repeats = _repeats(order)
        epoch, first, size = self.epoch, *self._share()
        for batch in range(self.skip, len(self)):
            start = batch * self.batch_size + first
            rows = slice(start, start + size)
            yield ItemKeys(epoch, order[rows], repeats[rows])

    def _share(self) -> tuple[int, int]:
        """Return where this process's stretch of a batch begins, and its length."""
        rank, world = rank_and_world() if self.sharded else (0, 1)
        size, rest = divmod(self.batch_size, world)
        if rest:
            raise ConfigError(
                f"a batch of {self.batch_size} images cannot be shared by {world} processes",
                f"Set train.batch_size to a multiple of {world}",
            )
        return rank * size, size

    def _order(self) -> Int64Array:
        if self._cached is None or self._cached[0] != self.epoch:
            self._cached = self.epoch, self._checked(np.asarray(self.source.order(self.epoch)))
        return self._cached[1]

    def _checked(self, order: Any) -> Int64Array:
        fits = order.ndim == 1 and (order.dtype.kind in "iu" or not len(order))
        if not fits or (len(order) and (order.min() < 0 or order.max() >= self.num_rows)):
            raise PluginError(
                f"the sampler {type(self.source).__name__} gave an order that is no flat array "
                f"of rows 0..{self.num_rows - 1}"
            )
        return np.asarray(order, dtype=np.int64)


def rank_and_world() -> tuple[int, int]:
    """Return this process's number and how many there are, 0 and 1 without torch.distributed."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def collate(items: Items | PackedBatch | Failure) -> Batch | PackedBatch | Failure:
    """Make a batch of items, or hand on the first failure among them, or a batch already made.

    A batch without a readable image has the key ``skipped`` alone. Items that do not go together
    (different keys, images of different sizes) are a failure too.
    """
    if isinstance(items, PackedBatch | Failure):
        return items
    failure = next((item for item in items if isinstance(item, Failure)), None)
    if failure is not None:
        return failure
    read = [item for item in items if isinstance(item, dict)]
    try:
        batch = _stacked(read) if read else {}
    except DataError as error:
        return Failure.of(error)
    skipped = [(item.path, item.reason) for item in items if isinstance(item, Skipped)]
    if skipped:
        batch["skipped"] = skipped
    return batch


def _stacked(items: Sequence[dict[str, Any]]) -> Batch:
    keys = items[0].keys()
    for item in items:
        if item.keys() != keys:
            raise DataError(
                f"items of one batch have different keys: {sorted(keys)} and {sorted(item)}",
                "Make the datasets' __getitem__ agree",
            )
    shapes = {tuple(item["img"].shape) for item in items if hasattr(item.get("img"), "shape")}
    if len(shapes) > 1:
        raise DataError(
            f"images of one batch differ in shape: {sorted(shapes)[:2]}",
            "Give the dataset a transform that resizes",
        )
    # Inside a worker this writes the images straight into shared memory.
    batch: Batch = {
        key: default_collate([item[key] for item in items]) for key in keys if key != "impath"
    }
    if "impath" in keys:
        batch["impath"] = Paths(item["impath"] for item in items)
    return batch


def _repeats(order: Int64Array) -> Int64Array:
    """Return how often each entry of an order came before, (n,)."""
    by_row = np.argsort(order, kind="stable")
    rows = order[by_row]
    positions = np.arange(len(order), dtype=np.int64)
    new = np.ones(len(order), dtype=bool)
    new[1:] = rows[1:] != rows[:-1]
    repeats = np.empty(len(order), dtype=np.int64)
    repeats[by_row] = positions - np.maximum.accumulate(np.where(new, positions, 0))
    return repeats
