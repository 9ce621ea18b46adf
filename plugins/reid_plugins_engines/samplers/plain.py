"""The two plain samplers: each image once an epoch, shuffled or not."""

from __future__ import annotations

import numpy as np

from reidcore.data import Int64Array, SampleTable


class RandomSampler:
    """Shows each image once an epoch, in an order drawn from (seed, epoch).

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; the order does not depend on it.
        seed: Seed of the run.
    """

    def __init__(self, table: SampleTable, batch_size: int, seed: int) -> None:
        self.length = len(table)
        self.seed = seed

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (N,)."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.length)


class SequentialSampler:
    """Shows each image once an epoch, in the table's order.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; the order does not depend on it.
        seed: Seed of the run; nothing is drawn.
    """

    def __init__(self, table: SampleTable, batch_size: int, seed: int) -> None:
        self.length = len(table)

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (N,)."""
        return np.arange(self.length, dtype=np.int64)
