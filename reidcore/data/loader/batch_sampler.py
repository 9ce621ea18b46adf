"""Which items make each batch of an epoch, in each process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt
import torch

from reidcore.data.table import Int64Array
from reidcore.errors import ConfigError, PluginDefectError, counted


class ItemKey(NamedTuple):
    """Which item, and when: all that its augmentation depends on beside the seed.

    Attributes:
        epoch: Zero-based epoch; 0 in testing.
        row: Row of the dataset.
        repeat: How often the epoch has shown that row before.
    """

    epoch: int
    row: int
    repeat: int = 0


class ItemKeys(Sequence[ItemKey]):
    """The items of a batch, in columns: little to send to a worker.

    Args:
        epoch: Zero-based epoch.
        rows: (B,) rows of the dataset.
        repeats: (B,) how often the epoch has shown each row before.
    """

    def __init__(self, epoch: int, rows: Int64Array, repeats: Int64Array) -> None:
        self.epoch = epoch
        self.rows = rows
        self.repeats = repeats

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> ItemKey: ...
    @overload
    def __getitem__(self, index: slice) -> ItemKeys: ...
    def __getitem__(self, index: int | slice) -> ItemKey | ItemKeys:
        if isinstance(index, slice):
            return ItemKeys(self.epoch, self.rows[index], self.repeats[index])
        return ItemKey(self.epoch, int(self.rows[index]), int(self.repeats[index]))

    def __iter__(self) -> Iterator[ItemKey]:
        for row, repeat in zip(self.rows.tolist(), self.repeats.tolist(), strict=True):
            yield ItemKey(self.epoch, row, repeat)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class SampleOrder(Protocol):
    """What a sampler is to the core.

    It may define ``update(engine)`` as well, which is called before each epoch, on rank 0 alone:
    the order that it gives then is that of all processes. What its ``state_dict()`` gives goes into
    checkpoints, and back to its ``load_state_dict(state)``.
    """

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
        sharded: Whether each process has its part of every batch; each has whole ones otherwise.

    Attributes:
        sampler: What a plugin's factory made, which ``source`` asks.
        stretch: Which of how many equal stretches of the epoch's whole batches this process has, as
            ``(number, of)``; all of them at first.
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
        self.stretch = (0, 1)
        self._cached: tuple[int, Int64Array] | None = None
        self.sampler: Any = getattr(source, "sampler", source)
        self._resumed: int | None = None  # an epoch whose order a checkpoint gave

    def update(self, engine: Any, agreed: Callable[[Callable[[], Int64Array]], Int64Array]) -> None:
        """Let a sampler with ``update(engine)`` look at the training before the epoch begins.

        Args:
            engine: What it is given.
            agreed: Computes something on rank 0, and hands it to all.
        """
        update = getattr(self.sampler, "update", None)
        if update is None or self._resumed == self.epoch:
            return

        def ordered() -> Int64Array:
            update(engine)
            return self._checked(np.asarray(self.source.order(self.epoch)))

        self._cached = self.epoch, agreed(ordered)

    def state_dict(self, within_epoch: bool) -> dict[str, Any]:
        """Return the sampler's own state and, within an epoch, the order that depends on it."""
        own = self.sampler.state_dict() if hasattr(self.sampler, "state_dict") else None
        is_needed = within_epoch and (own is not None or hasattr(self.sampler, "update"))
        return {"state": own, "order": torch.from_numpy(self._order()) if is_needed else None}

    def load_state_dict(self, state: Mapping[str, Any], epoch: int) -> None:
        """Go on from what `state_dict` gave in an epoch.

        Raises:
            ValueError: The order is of other rows.
        """
        if state.get("state") is not None and hasattr(self.sampler, "load_state_dict"):
            self.sampler.load_state_dict(state["state"])
        if (order := state.get("order")) is not None:
            if not is_order(order.numpy(), self.num_rows):
                raise ValueError(f"no order of rows 0..{self.num_rows - 1}")
            self.epoch = self._resumed = epoch
            self._cached = epoch, order.numpy()

    @property
    def num_images(self) -> int:
        """How many images the epoch shows, before batches are cut."""
        return len(self._order())

    def rows(self) -> list[Int64Array]:
        """Return the rows of each batch of the epoch, over all processes."""
        order, size = self._order(), self.batch_size
        return [order[start : start + size] for start in range(0, len(self) * size, size)]

    def __len__(self) -> int:
        return len(self._numbers())

    def __iter__(self) -> Iterator[ItemKeys]:
        order = self._order()
        repeats = _repeats(order)
        epoch, rank, world = self.epoch, *(rank_and_world() if self.sharded else (0, 1))
        self.check_shares()
        for batch in self._numbers()[self.skip :]:
            start = batch * self.batch_size
            size = min(self.batch_size, len(order) - start) // world
            rows = slice(start + rank * size, start + (rank + 1) * size)
            yield ItemKeys(epoch, order[rows], repeats[rows])

    def check_shares(self) -> None:
        """Make sure that the processes can share each batch of the epoch.

        Raises:
            ConfigError: The number of processes does not divide one.
        """
        if not self.sharded:
            return
        check_shares(self.batch_size)
        rest, (_, world) = self.num_images % self.batch_size, rank_and_world()
        if rest % world and not self.drop_last:
            raise ConfigError(
                f"the last batch of an epoch has {counted(rest, 'image')}, which {world} processes "
                "cannot share",
                "Set train.drop_last=true.",
            )

    def _numbers(self) -> range:
        """Return the numbers of the batches that this process has."""
        full, rest = divmod(self.num_images, self.batch_size)
        total = full if self.drop_last or not rest else full + 1
        return stretch_of(total, *self.stretch)

    def _order(self) -> Int64Array:
        if self._cached is None or self._cached[0] != self.epoch:
            self._cached = self.epoch, self._checked(np.asarray(self.source.order(self.epoch)))
        return self._cached[1]

    def _checked(self, order: Any) -> Int64Array:
        if not is_order(order, self.num_rows):
            raise PluginDefectError(
                f"the sampler {type(self.source).__name__} gave an order that is no flat array "
                f"of rows 0..{self.num_rows - 1}"
            )
        return np.asarray(order, dtype=np.int64)


def check_shares(batch_size: int) -> None:
    """Make sure that the processes can share a batch.

    Raises:
        ConfigError: The number of processes does not divide it; the nearest sizes are named.
    """
    _, world = rank_and_world()
    fewer = batch_size // world * world
    if fewer != batch_size:
        nearest = [str(size) for size in (fewer, fewer + world) if size]
        raise ConfigError(
            f"a batch of {counted(batch_size, 'image')} cannot be shared by {world} processes",
            f"Set train.batch_size to {' or '.join(nearest)}",
        )


def is_order(order: npt.NDArray[Any], num_rows: int) -> bool:
    """Say whether an array is flat and holds rows 0 to ``num_rows - 1`` alone."""
    fits = order.ndim == 1 and (order.dtype.kind in "iu" or not len(order))
    return fits and (not len(order) or bool(0 <= order.min() <= order.max() < num_rows))


def stretch_of(total: int, number: int, of: int) -> range:
    """Return one of several stretches of ``range(total)``, equal to within one, end to end."""
    return range(total * number // of, total * (number + 1) // of)


def rank_and_world() -> tuple[int, int]:
    """Return this process's number and how many there are, 0 and 1 without torch.distributed."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


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
