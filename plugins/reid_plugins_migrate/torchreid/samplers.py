"""Torchreid's samplers, by its arguments: samples, batch size, and what a batch is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Protocol

from reidcore.data import Samples, build_train_sampler

__all__ = ["RandomDatasetSampler", "RandomDomainSampler", "RandomIdentitySampler"]


class TrainSampler(Sized, Protocol):
    """What a `DataLoader` takes as its ``sampler``: indices of samples, in the order of a run."""

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of an epoch."""
        ...


def RandomIdentitySampler(
    data_source: Samples, batch_size: int, num_instances: int
) -> TrainSampler:
    """Return an order of batches of P identities with K images each.

    Args:
        data_source: training samples.
        batch_size: images in a batch, P x K.
        num_instances: images of an identity in a batch, K.

    Raises:
        ConfigError: if the batch is no multiple of K, or asks for more identities than there are.
    """
    return build_train_sampler(
        data_source, "RandomIdentitySampler", batch_size, num_instances=num_instances
    )


def RandomDomainSampler(data_source: Samples, batch_size: int, n_domain: int) -> TrainSampler:
    """Return an order of batches with as many images of each of ``n_domain`` cameras."""
    return build_train_sampler(data_source, "RandomDomainSampler", batch_size, num_cams=n_domain)


def RandomDatasetSampler(data_source: Samples, batch_size: int, n_dataset: int) -> TrainSampler:
    """Return an order of batches with as many images of each of ``n_dataset`` datasets."""
    return build_train_sampler(
        data_source, "RandomDatasetSampler", batch_size, num_datasets=n_dataset
    )
