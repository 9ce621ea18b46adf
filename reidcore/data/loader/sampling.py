"""Training samplers by name, and as torch samplers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from reidcore._validation import has_methods
from reidcore.data.loader.batch_sampler import SampleOrder, is_order
from reidcore.data.sample import Samples
from reidcore.data.table import Int64Array, SampleTable
from reidcore.plugins import Plugins
from reidcore.plugins.attribution import exit_defect
from reidcore.registry import Chooser, Component, Entry


def make_order(sampler: Component, table: SampleTable, batch_size: int, seed: int) -> SampleOrder:
    """Make the order of training.

    Args:
        sampler: The sampler with its options.
        table: Training samples.
        batch_size: Number of images in a batch over all processes.
        seed: Seed of the run.

    Raises:
        PluginDefectError: What the factory returns has no ``order(epoch)``.
    """
    made: SampleOrder = sampler.make(table=table, batch_size=batch_size, seed=seed)
    if not has_methods(made, "order"):
        raise sampler.entry.defect(made, "an object with a method order(epoch)")
    return CheckedOrder(sampler.entry, made, len(table))


@dataclass(frozen=True)
class CheckedOrder:
    """What a plugin's sampler orders, checked.

    Attributes:
        entry: The sampler as it was registered.
        sampler: What its factory made.
        num_rows: Number of rows there are.
    """

    entry: Entry
    sampler: SampleOrder
    num_rows: int

    def order(self, epoch: int) -> Int64Array:
        """Return the rows that an epoch shows.

        Raises:
            PluginDefectError: The sampler gives something else; its plugin is named.
        """
        try:
            given = self.sampler.order(epoch)
        except SystemExit as error:
            raise exit_defect(self.entry.origin, error, "order") from error
        wanted = f"a flat array of rows 0..{self.num_rows - 1}"
        try:
            rows = np.asarray(given)
        except Exception as error:  # whatever a foreign object raises
            raise self.entry.defect(given, wanted, "order") from error
        if not is_order(rows, self.num_rows):
            raise self.entry.defect(given, wanted, "order")
        return rows.astype(np.int64)


class EpochSampler(Sampler[int]):
    """A sampler of the core as a torch sampler; iterating it again gives the next epoch.

    Args:
        source: Gives each epoch's order.
    """

    def __init__(self, source: SampleOrder) -> None:
        self.source = source
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that epoch's."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = self.source.order(self.epoch)
        self.epoch += 1
        return iter(order.tolist())

    def __len__(self) -> int:
        return len(self.source.order(self.epoch))


def build_train_sampler(
    data_source: Samples,
    train_sampler: str,
    batch_size: int = 32,
    num_instances: int = 4,
    num_cams: int = 1,
    num_datasets: int = 1,
    *,
    seed: int = 0,
    plugins: Plugins | None = None,
    **kwargs: Any,
) -> EpochSampler:
    """Build a training sampler for a hand-written loader, as Torchreid does.

    Args:
        data_source: Training samples.
        train_sampler: Registered name.
        batch_size: Number of images in a batch.
        num_instances: Images of an identity in a batch, for samplers that ask for it.
        num_cams: Cameras in a batch, for samplers that ask for it.
        num_datasets: Datasets in a batch, for samplers that ask for it.
        seed: Seed of the orders.
        plugins: Where to look; the current ones if None.
        kwargs: Further options of the sampler.

    Raises:
        UserError: The name or an option is unknown.
    """
    asked = {"num_instances": num_instances, "num_cams": num_cams, "num_datasets": num_datasets}
    choose = Chooser(plugins, {train_sampler: kwargs}, {"samplers": asked})
    table = SampleTable.of(data_source, "data_source")
    return EpochSampler(make_order(choose("samplers", train_sampler), table, batch_size, seed))
