"""Loaders: batches of an epoch, read here or by worker processes, the same either way."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from reidcore._cpus import usable_cpus
from reidcore.config.options import LoadingOptions
from reidcore.data.dataset import Dataset
from reidcore.data.images.cache import PixelCache
from reidcore.data.images.decode import jpeg_decoder
from reidcore.data.left_out import leave_out
from reidcore.data.loader.batch_sampler import EpochBatches, FileOrder, SampleOrder, rank_and_world
from reidcore.data.loader.collate import Batch, Failure, Finisher, PackedBatch, collate
from reidcore.data.loader.decode import Reader, reader_of
from reidcore.data.loader.fetcher import SeededItems
from reidcore.data.loader.seeding import generators_kept
from reidcore.data.loader.workers import NoWorkerError, failures_explained, start_worker
from reidcore.data.table import Int64Array, SampleTable
from reidcore.errors import ConfigError, DataError, UserError

_log = logging.getLogger(__name__)

_LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Loading:
    """How images are read.

    Attributes:
        options: What a configuration says about it.
        seed: Seed of the run, which the augmentation draws from.
        pin_memory: Whether batches are put into memory that a GPU copies from quickly.
        cache: Where decoded images are kept.
        start_method: How workers are started; as `start_method` says if None.
        drop_last: Whether a last batch of a training epoch is left out where it is not full.
    """

    options: LoadingOptions = field(default_factory=lambda: LoadingOptions(workers=0))
    seed: int = 0
    pin_memory: bool = False
    cache: PixelCache = field(default_factory=PixelCache)
    start_method: str | None = None
    drop_last: bool = True


class BatchLoader:
    """Batches of a dataset, one epoch an iteration.

    Each iteration is the epoch after the one before, unless `set_epoch` says another. What an
    epoch gives depends on the seed and its number alone.

    Args:
        dataset: What is read.
        batches: Which items make each batch.
        loading: How they are read.
        training: Whether iterations are successive epochs; each is epoch 0 otherwise.

    Attributes:
        dataset: As given.
        batch_size: Number of images in a batch over all processes.
        batches: As given.
        device: Where the images of a batch are completed, and given; the CPU at first.
        skipped: Path -> reason of each image that was left out so far.
    """

    def __init__(
        self, dataset: Dataset, batches: EpochBatches, loading: Loading, *, training: bool
    ) -> None:
        self.dataset = dataset
        self.batch_size = batches.batch_size
        self.device = torch.device("cpu")
        self.skipped: dict[str, str] = {}
        self.batches = batches
        self._training = training
        self._next_epoch = 0
        self._next_skip = 0
        self._loading = loading
        self._open()

    def _open(self) -> None:
        """Make what reads, for the transforms that the dataset has now."""
        dataset, loading = self.dataset, self._loading
        reader = reader_of(dataset, loading.options.augment, loading.options.draft, loading.cache)
        if reader is None:
            _warn_of_idle_options(dataset, loading)
        self._reader = reader
        self._finish: Any = _finisher_of(dataset, reader) if reader else None
        self._transforms = _transforms_of(dataset)
        self._start()

    def _start(self) -> None:
        """Let other workers read from now on; those before end with the iteration under way."""
        self._loader = _torch_loader(
            self.dataset, self._reader, self.batches, self._loading, self._training
        )
        self._reads_here = self._loader.num_workers == 0

    @contextmanager
    def shared_out(self, number: int, of: int) -> Iterator[None]:
        """Let iterations, and ``len()``, be of one of several stretches of whole batches.

        The stretches, one after the other, are what an iteration would be otherwise.

        Args:
            number: Which stretch.
            of: How many there are, one for each process.
        """
        self.batches.stretch = number, of
        try:
            yield
        finally:
            self.batches.stretch = (0, 1)

    @property
    def epoch(self) -> int:
        """The epoch of the last or current iteration, or what `set_epoch` said since."""
        return self.batches.epoch

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Let the next iteration, and ``len()``, be of that zero-based epoch.

        Args:
            epoch: Its number.
            skip: How many of its batches to leave out, those that were seen before a stop.
        """
        self._next_epoch = self.batches.epoch = epoch
        self._next_skip = skip

    @property
    def num_views(self) -> int:
        """How often each image is transformed, independently (``data.k_tfm``)."""
        return getattr(self.dataset, "k_tfm", 1)

    def batch_rows(self) -> list[Int64Array]:
        """Return the rows of the dataset that each batch of the epoch shows, in all processes."""
        return self.batches.rows()

    def __len__(self) -> int:
        """Return the number of batches of the epoch."""
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches of an epoch.

        Raises:
            DataError: An image is unreadable, or every image of a batch shared among processes; or
                worker processes cannot start or go on.
            UserError: Whatever the dataset raised of that kind, in whichever process.
        """
        if self._transforms != _transforms_of(self.dataset):
            self._open()
        self.batches.epoch = self._next_epoch
        self.batches.skip, self._next_skip = self._next_skip, 0
        if self._training:
            self._next_epoch += 1
        with self._new_ones_told():
            yield from self._completed()

    def _completed(self) -> Iterator[Batch]:
        for outcome in self._outcomes():
            if isinstance(outcome, Failure):
                # An error keeps this frame, and with it workers that then end late.
                self._start()
                raise outcome.error()
            if isinstance(outcome, PackedBatch):
                outcome = self._finish(outcome, self.device)
            self.skipped.update(outcome.get("skipped", []))
            if "img" in outcome:
                yield outcome
            elif self._training and rank_and_world()[1] > 1:
                raise DataError(
                    "every image of a batch is unreadable, and the other processes wait for it",
                    "Repair the images: " + ", ".join(path for path, _ in outcome["skipped"]),
                )

    def _outcomes(self) -> Iterator[Batch | PackedBatch | Failure]:
        """Give what `collate` made, without a trace in the program's random numbers."""
        outcomes = self._opened()
        while True:
            with self._reading(outcomes):
                outcome = next(outcomes, None)
            if outcome is None:
                return
            yield outcome

    def _opened(self) -> Iterator[Batch | PackedBatch | Failure]:
        try:
            with self._reading(getattr(self._loader, "_iterator", None)):
                return iter(self._loader)
        except NoWorkerError as error:
            _log.warning("%s, so images are read in the main process. %s", error.what, error.hint)
        here = self._loading.options.model_copy(update={"workers": 0})
        self._loading = replace(self._loading, options=here)
        self._start()
        with self._reading(None):
            return iter(self._loader)

    @contextmanager
    def _reading(self, workers: Any) -> Iterator[None]:
        """Keep the program's random numbers where images are read here, or explain failures."""
        if self._reads_here:
            with generators_kept():
                yield
            return
        try:
            with failures_explained(workers):
                yield
        except DataError:
            self._start()
            raise

    @contextmanager
    def _new_ones_told(self) -> Iterator[None]:
        """Tell of the images that were left out since, in one line."""
        known = set(self.skipped)
        try:
            yield
        finally:
            found = [f"{path} ({why})" for path, why in self.skipped.items() if path not in known]
            leave_out(found, "images", "unreadable")


class NothingToLearn(BatchLoader):
    """Stands where a manager has no training loader: using it says why.

    Args:
        why: What to raise.
    """

    def __init__(self, why: UserError) -> None:
        self.why = why
        self.skipped = {}

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Refuse."""
        raise self.why

    def batch_rows(self) -> list[Int64Array]:
        """Refuse."""
        raise self.why

    def __len__(self) -> int:
        raise self.why

    def __iter__(self) -> Iterator[Batch]:
        raise self.why


def loader_for_training(
    dataset: Dataset, order: SampleOrder, batch_size: int, loading: Loading
) -> BatchLoader:
    """Return the loader of a training set, whose batches are shared among the processes.

    Args:
        dataset: A training view of N samples.
        order: The sampler.
        batch_size: Number of images in a batch over all processes.
        loading: How images are read.

    Raises:
        ConfigError: The batch size is no positive number, or the processes cannot share a batch.
        DataError: An epoch has not enough images for one batch.
    """
    check_batch_size("train", batch_size)
    batches = EpochBatches(
        order, len(dataset), batch_size, drop_last=loading.drop_last, sharded=True
    )
    batches.check_shares()
    if not len(batches):
        raise DataError(
            f"a batch of {batch_size} {dataset.unit} is larger than an epoch of "
            f"{batches.num_images}",
            f"Set train.batch_size to at most {batches.num_images}, or train.drop_last=false",
        )
    return BatchLoader(dataset, batches, loading, training=True)


def loader_for_testing(dataset: Dataset, batch_size: int, loading: Loading) -> BatchLoader:
    """Return the loader of a query or gallery set: every image, in order, in each process.

    Processes that test together share it: see `BatchLoader.shared_out`.

    Args:
        dataset: A query or gallery view.
        batch_size: Number of images in a batch.
        loading: How images are read.

    Raises:
        ConfigError: The batch size is no positive number.
    """
    check_batch_size("test", batch_size)
    batches = EpochBatches(FileOrder(len(dataset)), len(dataset), batch_size)
    return BatchLoader(dataset, batches, loading, training=False)


def check_batch_size(phase: str, batch_size: int) -> None:
    """Make sure that a batch size is one.

    Raises:
        ConfigError: It is not.
    """
    if batch_size < 1:
        raise ConfigError(
            f"{phase}.batch_size={batch_size}", f"Set {phase}.batch_size to 1 or more"
        )


def start_method() -> str | None:
    """Return how worker processes are started; None for Python's way on this system."""
    # Plugins given as files cannot be imported by name in a fresh process; a fork has them.
    return "fork" if _LINUX else None


def _torch_loader(
    dataset: Dataset, reader: Reader | None, batches: EpochBatches, loading: Loading, training: bool
) -> DataLoader[Any]:
    items: Any = SeededItems(dataset, loading.seed, loading.options.on_bad_image == "skip", reader)
    jpeg_decoder()  # workers that are forks need not load it again
    workers = min(loading.options.workers, usable_cpus())
    return DataLoader(
        items,
        batch_sampler=batches,  # type: ignore[arg-type]  # a sequence of its own, not a list
        num_workers=workers,
        collate_fn=collate,
        pin_memory=loading.pin_memory,
        worker_init_fn=start_worker,
        # Test loaders are many and idle most of the time: their workers go when they are done.
        persistent_workers=training and workers > 0,
        multiprocessing_context=(loading.start_method or start_method()) if workers else None,
        # Its own, so that iterating leaves the model's random numbers alone.
        generator=torch.Generator(),
    )


def _finisher_of(dataset: Dataset, reader: Reader) -> Finisher:
    table = SampleTable.of(dataset.data)
    return Finisher(reader.pipeline, table, holds_clips=reader.holds_clips)


def _transforms_of(dataset: Dataset) -> list[Any]:
    """Return what tells whether somebody gave a dataset, or a part of it, another transform."""
    parts = getattr(dataset, "parts", (dataset,))
    return [(part.transform, part.k_tfm) for part in parts]


def _warn_of_idle_options(dataset: Dataset, loading: Loading) -> None:
    """Warn where a dataset or a transform of its own kind makes what was asked for impossible."""
    asked = {
        "data.augment=batch": loading.options.augment == "batch",
        "data.draft": loading.options.draft,
        "data.cache": loading.cache.kind != "off",
    }
    names = " and ".join(name for name, is_asked in asked.items() if is_asked)
    if names:
        _log.warning(
            "%s without effect: %s reads or transforms images in a way of its own",
            names,
            type(dataset).__name__,
        )
