"""Batches of P groups of K images, each group with another label: the balanced samplers' core."""

from __future__ import annotations

import numpy as np

from reidcore.data.table import Int64Array


class GroupedOrder:
    """Draws epochs in which every batch holds P labels with K images each.

    A label with n images needs ⌈n/K⌉ groups to show them all, and an epoch has B = ⌈G/P⌉ batches
    for the G groups that all labels need. A batch holds a label once, so that one with more than B
    groups shows B·K of its images an epoch, each epoch the next ones, in a circle. Places left over
    go to further groups of the other labels, as evenly as can be. Hence, of a label with n images:

    * all are shown at least once an epoch, if n <= B·K;
    * all are shown within ⌈n / (B·K)⌉ epochs, if not;
    * no two of a group are the same, if n >= K; if not, a group holds all n, each ⌊K/n⌋ or ⌈K/n⌉
      times.

    The groups of a batch lie one after the other, each in K neighbouring places.

    Args:
        labels: Label of each row, (N,).
        labels_per_batch: P; at most the number of labels.
        images_per_label: K.
        seed: Seed of the run.

    Attributes:
        num_batches: Batches in an epoch, B.
    """

    def __init__(
        self, labels: Int64Array, labels_per_batch: int, images_per_label: int, seed: int
    ) -> None:
        self.seed = seed
        self.per_batch = labels_per_batch
        self.size = images_per_label
        _, codes = np.unique(labels, return_inverse=True)
        self.counts = np.bincount(codes)
        self.starts = np.cumsum(self.counts) - self.counts
        # Rows by label, shuffled once within each: the circle that large labels go round.
        shuffled = np.random.default_rng([seed, 0, 1]).permutation(len(codes))
        self.rows = shuffled[np.argsort(codes[shuffled], kind="stable")]
        self.codes = np.repeat(np.arange(len(self.counts)), self.counts)
        self.places = np.arange(len(codes)) - self.starts[self.codes]
        needed = -(-self.counts // self.size)
        self.num_batches = int(-(-needed.sum() // self.per_batch))
        groups = np.minimum(needed, self.num_batches)
        spare = self.num_batches * self.per_batch - int(groups.sum())
        self.groups, self.growing, self.spare = _evened(groups, self.num_batches, spare)

    def __len__(self) -> int:
        """The rows of an epoch: B·P·K."""
        return self.num_batches * self.per_batch * self.size

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (B·P·K,)."""
        rng = np.random.default_rng([self.seed, epoch])
        rows = self._shuffled(rng, epoch)
        groups = self.groups.copy()
        groups[rng.choice(self.growing, self.spare, replace=False)] += 1
        # One label's groups after the other's, the labels in random order.
        labels = rng.permutation(len(groups))
        ends = np.cumsum(groups[labels])
        label = np.repeat(labels, groups[labels])  # (B·P,)
        number = np.arange(len(label)) - np.repeat(ends - groups[labels], groups[labels])
        within = number[:, None] * self.size + np.arange(self.size)  # (B·P, K)
        images = rows[self.starts[label, None] + within % self.counts[label, None]]
        batches = _dealt(rng, ends, self.num_batches, self.per_batch)  # (P, B)
        epoch_rows = np.empty((self.num_batches, self.per_batch, self.size), dtype=np.int64)
        epoch_rows[batches, np.arange(self.per_batch)[:, None]] = images.reshape(
            self.per_batch, self.num_batches, self.size
        )
        return epoch_rows.reshape(-1)

    def _shuffled(self, rng: np.random.Generator, epoch: int) -> Int64Array:
        """Return the rows by label, shuffled within each, those that wait this epoch at its end."""
        shown = self.groups * self.size
        first = epoch * shown % self.counts
        turn = (self.places - first[self.codes]) % self.counts[self.codes]
        waits = turn >= shown[self.codes]
        # Whole labels stay apart: what is added to their code is less than a half.
        return self.rows[np.argsort(self.codes + (rng.random(len(waits)) + waits) / 4)]


def _evened(groups: Int64Array, most: int, spare: int) -> tuple[Int64Array, Int64Array, int]:
    """Give labels further groups, all the same number as far as ``most`` a label allows.

    Returns:
        The groups of each label, the labels that can take another one, and how many of these
        shall: it differs from epoch to epoch which.
    """
    groups = groups.copy()
    growing = np.flatnonzero(groups < most)
    while spare and spare >= len(growing):
        step = min(spare // len(growing), most - int(groups[growing].max()))
        groups[growing] += step
        spare -= step * len(growing)
        growing = np.flatnonzero(groups < most)
    return groups, growing, spare


def _dealt(rng: np.random.Generator, ends: Int64Array, batches: int, per_batch: int) -> Int64Array:
    """Deal groups to batches, P rounds of one group a batch; return each one's batch, (P, B).

    A label has at most B groups, and they follow one another: it is dealt in one round, or at the
    end of one and the beginning of the next, which then has to pass over the batches that have it.

    Args:
        rng: Draws.
        ends: Where each label's groups end in the sequence of all B·P.
        batches: B.
        per_batch: P.
    """
    dealt = np.empty((per_batch, batches), dtype=np.int64)
    dealt[0] = rng.permutation(batches)
    borders = np.arange(1, per_batch) * batches
    label = np.searchsorted(ends, borders, side="right")  # whose group opens the round
    begins = np.concatenate(([0], ends))[label]
    for turn, border in enumerate(borders.tolist(), start=1):
        had = dealt[turn - 1, batches - (border - begins[turn - 1]) :]
        dealt[turn] = _permutation_beginning_outside(
            rng, batches, had, ends[label[turn - 1]] - border
        )
    return dealt


def _permutation_beginning_outside(
    rng: np.random.Generator, length: int, outside: Int64Array, opening: int
) -> Int64Array:
    """Return a random permutation of 0..length-1, its first entries none of some numbers."""
    drawn = rng.permutation(length)
    if not len(outside):
        return drawn
    is_free = np.ones(length, dtype=bool)
    is_free[outside] = False
    opens = np.zeros(length, dtype=bool)
    opens[np.flatnonzero(is_free[drawn])[:opening]] = True
    return np.concatenate((drawn[opens], drawn[~opens]))
