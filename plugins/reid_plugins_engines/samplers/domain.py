"""Batches in which several cameras, or several datasets, have the same share."""

from __future__ import annotations

import numpy as np

from reid_plugins_engines.samplers.groups import GroupedOrder
from reid_plugins_engines.samplers.sharing import check_enough, near_multiples
from reidcore.data import Int64Array, SampleTable
from reidcore.errors import ConfigError, counted


class RandomDomainSampler(GroupedOrder):
    """Shows images of ``num_cams`` cameras in every batch, the same number of each.

    An epoch shows every image of a camera at least once, unless the camera has so many that it
    would have to be in a batch twice; then it shows other ones in the next epoch. A camera with
    fewer images than its share of a batch shows each several times, as evenly as can be.

    The images of a camera are neighbours. A process's share of a batch therefore holds whole
    cameras if the number of processes divides ``num_cams``.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of ``num_cams``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_cams: Cameras in a batch; 0 or None for all.

    Raises:
        ConfigError: The batch cannot be shared evenly, or there are fewer cameras.
    """

    def __init__(
        self, table: SampleTable, batch_size: int, seed: int, num_cams: int | None = 1
    ) -> None:
        shares = _shares(table.camids, batch_size, num_cams, "cameras", "num_cams")
        super().__init__(table.camids, shares, batch_size // shares, seed)


class RandomDatasetSampler(GroupedOrder):
    """Shows images of ``num_datasets`` datasets in every batch, the same number of each.

    What `RandomDomainSampler` says of cameras holds for datasets here.

    Args:
        table: Training samples, of several sources.
        batch_size: Images in a batch over all processes; a multiple of ``num_datasets``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_datasets: Datasets in a batch; 0 or None for all.

    Raises:
        ConfigError: The batch cannot be shared evenly, or there are fewer datasets.
    """

    def __init__(
        self, table: SampleTable, batch_size: int, seed: int, num_datasets: int | None = 1
    ) -> None:
        shares = _shares(table.dsetids, batch_size, num_datasets, "datasets", "num_datasets")
        super().__init__(table.dsetids, shares, batch_size // shares, seed)


def _shares(labels: Int64Array, batch_size: int, wanted: int | None, what: str, option: str) -> int:
    """Return among how many labels a batch is shared, once that is possible."""
    available = len(np.unique(labels))
    shares = wanted if wanted is not None and wanted > 0 else max(available, 1)
    check_enough(what, available, shares, f"Set sampler.{option} to at most {available}")
    if batch_size < 1 or batch_size % shares:
        raise ConfigError(
            f"a batch of {counted(batch_size, 'image')} cannot be shared by {shares} {what} evenly",
            f"Set train.batch_size to {near_multiples(batch_size, shares)}, "
            f"or change sampler.{option}",
        )
    return shares
