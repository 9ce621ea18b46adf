"""Batches in which every domain has its share of the identities, each with K images."""

from __future__ import annotations

import numpy as np

from reid_plugins_engines.samplers.groups import GroupedOrder, groups_needed
from reid_plugins_engines.samplers.sharing import (
    Epoch,
    batches_in,
    check_enough,
    check_positive,
    near_multiples,
)
from reidcore.data import Int64Array, SampleTable
from reidcore.errors import ConfigError, counted, did_you_mean, quoted

DOMAINS = {"dataset": "dsetids", "camera": "camids"}
"""Value of the option ``domain`` -> the column of the table that tells domains apart."""


class BalancedDomainSampler:
    """Shows in every batch as many identities of each of the D domains, K images of each identity.

    For learning from several sources of which one is much larger: the balance of
    `RandomDatasetSampler` with batches that the triplet loss can use. An epoch shows every image of
    the domain that takes longest, as `RandomIdentitySampler` would; the others begin again until it
    is over, and all their identities come as often as each other.

    With ``weights`` a domain has as many times the identities of another. FastReID's
    ``SetReWeightSampler`` has the weights of cameras for it, as numbers of identities in a batch.

    The K images of an identity are neighbours, and the domains alternate from identity to
    identity, as many of each in a row as its weight. A process's share of a batch therefore has all
    domains alike, if the number of processes divides the identities of a domain of weight 1.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of ``num_instances`` times D,
            or the sum of the weights.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_instances: Images of an identity in a batch, K.
        domain: What a domain is: ``dataset`` (the source) or ``camera``. Somebody whom several
            cameras saw then counts as one identity for each of them.
        weights: Of each domain, in the order of the sources (or of the cameras' numbers); 1 for all
            if None.
        epoch: How long one is: ``all`` until every image of every domain was shown, or ``size``, as
            many batches as the images fill.

    Raises:
        ConfigError: The batch cannot be shared so, or a domain has too few identities.
    """

    def __init__(
        self,
        table: SampleTable,
        batch_size: int,
        seed: int,
        num_instances: int = 4,
        domain: str = "dataset",
        weights: list[int] | None = None,
        epoch: Epoch = "all",
    ) -> None:
        check_positive("num_instances", num_instances)
        domains = _domains_of(table, domain)
        check_enough(f"{domain}s", len(domains), 1, "Give training samples")
        self._weights = _weights_of(weights, len(domains), domain)
        rounds = _rounds(batch_size, num_instances, sum(self._weights), domain, len(domains))
        self._rows = domains
        self._size = num_instances
        labels = [table.pids[rows] for rows in domains]
        shares = [rounds * weight for weight in self._weights]
        self._check_identities(labels, rounds, domain)
        self.num_batches = batches_in(epoch, table, batch_size) or max(
            int(-(-groups_needed(pids, num_instances).sum() // share))
            for pids, share in zip(labels, shares, strict=True)
        )
        # Domains whose draws were the same would show the same places together again and again.
        seeds = np.random.default_rng([seed, 0, 2]).integers(2**63, size=len(domains)).tolist()
        self._orders = [
            GroupedOrder(pids, share, num_instances, own, self.num_batches)
            for pids, share, own in zip(labels, shares, seeds, strict=True)
        ]

    def __len__(self) -> int:
        """The rows of an epoch."""
        return sum(map(len, self._orders))

    def _check_identities(self, labels: list[Int64Array], rounds: int, domain: str) -> None:
        """Make sure that each domain has the identities that a batch is to hold of it."""
        found = [len(np.unique(pids)) for pids in labels]
        most = [ids // weight for ids, weight in zip(found, self._weights, strict=True)]
        fewest = int(np.argmin(most))
        largest = most[fewest] * self._size * sum(self._weights)
        check_enough(
            f"identities of {domain} {fewest}",
            found[fewest],
            rounds * self._weights[fewest],
            f"Set train.batch_size to at most {largest}, or raise sampler.num_instances"
            if largest
            else f"Give it a weight of at most {found[fewest]} in sampler.weights",
        )

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (B·P·K,)."""
        parts = [
            rows[order.order(epoch)].reshape(self.num_batches, -1, weight, self._size)
            for rows, order, weight in zip(self._rows, self._orders, self._weights, strict=True)
        ]
        # From (B, P / W, W, K), where W is the sum of the weights.
        return np.concatenate(parts, axis=2).reshape(-1)


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


def _weights_of(weights: list[int] | None, domains: int, domain: str) -> list[int]:
    """Return the weight of each domain, once there is one of each."""
    if weights is None:
        return [1] * domains
    if len(weights) != domains or min(weights) < 1:
        raise ConfigError(
            f"sampler.weights={quoted(weights)}, and there are {counted(domains, domain)}",
            f"Give a whole number from 1 for each {domain}, in their order",
        )
    return list(weights)


def _rounds(batch_size: int, num_instances: int, weights: int, domain: str, domains: int) -> int:
    """Return how often a batch has, of each domain, as many identities as its weight."""
    smallest = num_instances * weights
    if batch_size < 1 or batch_size % smallest:
        how = "as many identities" if weights == domains else "identities by the weights"
        raise ConfigError(
            f"a batch of {counted(batch_size, 'image')} cannot hold {how} of each of "
            f"{domains} {domain}s with {counted(num_instances, 'image')} each",
            f"Set train.batch_size to {near_multiples(batch_size, smallest)}, "
            "or change sampler.num_instances",
        )
    return batch_size // smallest
