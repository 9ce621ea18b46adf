"""Items of a dataset as a loader asks for them: seeded, with bad images told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from reidcore import errors
from reidcore.data.dataset import Dataset
from reidcore.data.reading import UnreadableImageError
from reidcore.data.sample import Sample
from reidcore.data.seeding import mixed_seed, seed_generators
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


class SeededItems:
    """A dataset whose items are asked for by `ItemKey`.

    Reading one seeds the generators of the process: see `reidcore.data.seeding.generators_kept`.

    Args:
        dataset: Where they come from.
        seed: Seed of the run.
        skip_bad_images: Whether an unreadable image gives `Skipped`; it gives `Failure` otherwise.
    """

    def __init__(self, dataset: Dataset, seed: int, skip_bad_images: bool = False) -> None:
        self.dataset = dataset
        self.seed = seed
        self.skip_bad_images = skip_bad_images

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
        except UnreadableImageError as error:
            if self.skip_bad_images:
                return Skipped(error.path, error.reason)
            return Failure.of(error)
        except UserError as error:
            return Failure.of(error)
