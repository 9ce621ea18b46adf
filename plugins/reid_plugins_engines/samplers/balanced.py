"""Batches in which every domain has the same number of identities, each with K images."""

from __future__ import annotations

import numpy as np

from reid_plugins_engines.samplers.groups import GroupedOrder, groups_needed
from reid_plugins_engines.samplers.sharing import check_enough, check_positive, near_multiples
from reidcore.data import Int64Array, SampleTable
from reidcore.errors import ConfigError, counted, did_you_mean, quoted

DOMAINS = {"dataset": "dsetids", "camera": "camids"}
"""Value of the option ``domain`` -> the column of the table that tells domains apart."""


class BalancedDomainSampler:
    """Shows in every batch as many identities of each of the D domains, K images of each identity.

    For learning from several sources of which one is much larger: the balance of
    `RandomDatasetSampler` with batches that the triplet loss can use. An epoch shows every image of
    the domain that has the most, as `RandomIdentitySampler` would; the others begin again until it
    is over, and all their identities come as often as each other.

    The K images of an identity are neighbours, and the domains alternate from identity to
    identity. A process's share of a batch therefore has all domains alike, if the number of
    processes divides the P / D identities of a domain.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of D times ``num_instances``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_instances: Images of an identity in a batch, K.
        domain: What a domain is: ``dataset`` (the source) or ``camera``. Somebody whom several
            cameras saw then counts as one identity for each of them.

    Raises:
        ConfigError: The batch cannot be shared evenly, or a domain has too few identities.
    """

    def __init__(
        self,
        table: SampleTable,
        batch_size: int,
        seed: int,
        num_instances: int = 4,
        domain: str = "dataset",
    ) -> None:
        check_positive("num_instances", num_instances)
        domains = _domains_of(table, domain)
        check_enough(f"{domain}s", len(domains), 1, "Give training samples")
        share = _identities_of_each(batch_size, num_instances, len(domains), domain)
        self._rows = domains
        self._size = num_instances
        labels = [table.pids[rows] for rows in domains]
        fewest = min(len(np.unique(pids)) for pids in labels)
        check_enough(
            f"identities of each {domain}",
            fewest,
            share,
            f"Set train.batch_size to at most {fewest * num_instances * len(domains)}, "
            "or raise sampler.num_instances",
        )
        self.num_batches = max(
            int(-(-groups_needed(pids, num_instances).sum() // share)) for pids in labels
        )
        # Domains whose draws were the same would show the same places together again and again.
        seeds = np.random.default_rng([seed, 0, 2]).integers(2**63, size=len(domains)).tolist()
        self._orders = [
            GroupedOrder(pids, share, num_instances, own, at_least=self.num_batches)
            for pids, own in zip(labels, seeds, strict=True)
        ]

    def __len__(self) -> int:
        """The rows of an epoch."""
        return sum(map(len, self._orders))

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (B·P·K,)."""
        parts = [
            rows[order.order(epoch)].reshape(self.num_batches, -1, 1, self._size)
            for rows, order in zip(self._rows, self._orders, strict=True)
        ]
        return np.concatenate(parts, axis=2).reshape(-1)  # from (B, P/D, D, K)


def _domains_of(table: SampleTable, domain: str) -> list[Int64Array]:
    """Return the rows of each domain."""
    if domain not in DOMAINS:
        raise ConfigError(
            f"sampler.domain={quoted(domain)}",
            f"{did_you_mean(domain, DOMAINS)} It is dataset or camera".lstrip(),
        )
    labels = getattr(table, DOMAINS[domain])
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_domain = np.argsort(codes.reshape(-1), kind="stable")
    return np.split(by_domain, np.cumsum(counts)[:-1]) if len(table) else []


def _identities_of_each(batch_size: int, num_instances: int, domains: int, domain: str) -> int:
    smallest = num_instances * domains
    if batch_size < 1 or batch_size % smallest:
        raise ConfigError(
            f"a batch of {counted(batch_size, 'image')} cannot hold as many identities of each of "
            f"{domains} {domain}s with {counted(num_instances, 'image')} each",
            f"Set train.batch_size to {near_multiples(batch_size, smallest)}, "
            "or change sampler.num_instances",
        )
    return batch_size // smallest
