"""Items of a dataset as a loader asks for them: seeded, with bad images told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, overload

from reidcore import errors
from reidcore.data.dataset import Dataset
from reidcore.data.images.decode import UnreadableImageError
from reidcore.data.loader.decode import Reader
from reidcore.data.loader.packed import PackedBatch, Packer
from reidcore.data.loader.seeding import mixed_seed, seed_generators
from reidcore.data.sample import Sample
from reidcore.data.table import Int64Array
from reidcore.errors import UserError


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


@dataclass(frozen=True)
class Skipped:
    """Stands for an image that could not be read and may be left out."""

    path: str
    reason: str


@dataclass(frozen=True)
class Failure:
    """Stands for an error of the user's, on its way from a worker to the main process.

    A raised exception would arrive there wrapped in the worker's traceback.
    """

    kind: type[UserError]
    what: str
    hint: str

    @classmethod
    def of(cls, error: UserError) -> Failure:
        """Keep what survives pickling: the nearest error type of the core, and the words."""
        kind = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return cls(kind, error.what, error.hint)

    def error(self) -> UserError:
        """Return the error to raise."""
        return self.kind(self.what, self.hint)


Items: TypeAlias = list[dict[str, Any] | Skipped | Failure]


class SeededItems:
    """A dataset whose items are asked for by `ItemKey`.

    Reading one seeds the generators of the process: see
    `reidcore.data.loader.seeding.generators_kept`.

    Args:
        dataset: Where they come from.
        seed: Seed of the run.
        skip_bad_images: Whether an unreadable image gives `Skipped`; it gives `Failure` otherwise.
        reader: Reads the images of a whole batch past the dataset; None asks it for each item.
    """

    def __init__(
        self,
        dataset: Dataset,
        seed: int,
        skip_bad_images: bool = False,
        reader: Reader | None = None,
    ) -> None:
        self.dataset = dataset
        self.seed = seed
        self.skip_bad_images = skip_bad_images
        self.reader = reader

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: ItemKey) -> dict[str, Any] | Skipped | Failure:
        try:
            seed_generators(mixed_seed(self.seed, *key))
            item = self.dataset[key.row]
            if "impath" not in item:  # Torchreid's items of video datasets have none
                sample: Any = self.dataset.data[key.row]
                item = {**item, "impath": Sample(*sample).path}
            return item
        except UserError as error:
            return self._told(error)

    def __getitems__(self, keys: ItemKeys) -> Items | PackedBatch | Failure:
        """Return the items of a batch, or the batch itself; the first failure instead of it."""
        if self.reader is None:
            return [self[key] for key in keys]
        packer = Packer(len(keys), len(self.reader.plan.later))
        for key in keys:
            outcome = self._pack(self.reader, packer, key)
            if isinstance(outcome, Failure):
                return outcome
            if isinstance(outcome, Skipped):
                packer.skipped.append((outcome.path, outcome.reason))
        return packer.packed()

    def _pack(self, reader: Reader, packer: Packer, key: ItemKey) -> Skipped | Failure | None:
        try:
            if reader.is_random:
                seed_generators(mixed_seed(self.seed, *key))
            packer.add(key.row, reader.read(key.row))
        except UserError as error:
            return self._told(error)
        return None

    def _told(self, error: UserError) -> Skipped | Failure:
        if isinstance(error, UnreadableImageError) and self.skip_bad_images:
            return Skipped(error.path, error.reason)
        return Failure.of(error)
