"""Items of a dataset as a loader asks for them: seeded, with bad images told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.utils.data import get_worker_info

from reidcore._validation import kind_of
from reidcore.data.dataset import Dataset
from reidcore.data.images.reading import UnreadableImageError
from reidcore.data.loader.batch_sampler import ItemKey, ItemKeys
from reidcore.data.loader.collate import Failure, Items, PackedBatch, Packer, Skipped
from reidcore.data.loader.decode import Reader
from reidcore.data.loader.seeding import mixed_seed, seed_generators
from reidcore.data.sample import Sample
from reidcore.errors import ExplainedError, PluginDefectError
from reidcore.plugins import current_plugins

_KEYS = frozenset({"img", "pid", "camid"})
"""What an item has at least."""


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
            if not isinstance(item, Mapping) or not item.keys() >= _KEYS:
                raise self._wrong(item)
            if "impath" not in item:  # Torchreid's items of video datasets have none
                sample: Any = self.dataset.data[key.row]
                item = {**item, "impath": Sample(*sample).path}
            return {**self._columns_of(key.row), **item}
        except (Exception, SystemExit) as error:
            return self._outcome_of(error)

    def __getitems__(self, keys: ItemKeys) -> Items | PackedBatch | Failure:
        """Return the items of a batch, or the batch itself; the first failure instead of it."""
        if self.reader is None:
            return [self[key] for key in keys]
        packer = Packer(len(keys), len(self.reader.pipeline.later))
        for key in keys:
            outcome = self._pack(self.reader, packer, key)
            if isinstance(outcome, Failure):
                return outcome
            if isinstance(outcome, Skipped):
                packer.skipped.append((outcome.path, outcome.reason))
        return packer.packed()

    def _wrong(self, item: Any) -> PluginDefectError:
        """Return the error that an item without image and labels is."""
        origin = self.dataset.origin or f"the dataset {type(self.dataset).__name__}"
        keys = f" with the keys {sorted(map(str, item))}" if isinstance(item, Mapping) else ""
        return PluginDefectError(
            f"{origin} gave {kind_of(item)}{keys} in __getitem__; it must give a dict with "
            f"{', '.join(sorted(_KEYS))}"
        )

    def _columns_of(self, row: int) -> dict[str, Any]:
        """Return what the further columns of the dataset's table have in a row."""
        columns = getattr(self.dataset.data, "columns", {})
        return {name: column[row].item() for name, column in columns.items()}

    def _pack(self, reader: Reader, packer: Packer, key: ItemKey) -> Skipped | Failure | None:
        try:
            if reader.is_random:
                seed_generators(mixed_seed(self.seed, *key))
            packer.add(key.row, reader.read(key.row))
        except (Exception, SystemExit) as error:
            return self._outcome_of(error)
        return None

    def _outcome_of(self, error: BaseException) -> Skipped | Failure:
        """Return what stands for an error; raise it again if nobody can be named for it."""
        if isinstance(error, UnreadableImageError) and self.skip_bad_images:
            return Skipped(error.path, error.reason)
        if isinstance(error, ExplainedError):
            return Failure.of(error)
        # What is raised in this process keeps its type and names its owner by its traceback.
        is_lost = isinstance(error, SystemExit) or get_worker_info() is not None
        defect = current_plugins().defect(error) if is_lost else None
        if defect is None:
            raise error
        defect.__cause__ = error
        return Failure.of(defect)
