"""Batches of P groups of K images, each group with another label: the balanced samplers' core."""

from __future__ import annotations

import numpy as np

from reidcore.data import Int64Array


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

    With another number of batches asked for, more groups are given out as evenly; fewer are taken
    from all labels alike, other ones each epoch.

    The groups of a batch lie one after the other, each in K neighbouring places.

    Args:
        labels: Label of each row, (N,).
        labels_per_batch: P; at most the number of labels.
        images_per_label: K.
        seed: Seed of the run.
        batches: Batches of an epoch; as many as show all images if None.

    Attributes:
        num_batches: Batches in an epoch, B.
    """

    def __init__(
        self,
        labels: Int64Array,
        labels_per_batch: int,
        images_per_label: int,
        seed: int,
        batches: int | None = None,
    ) -> None:
        self.seed = seed
        self.per_batch = labels_per_batch
        self.size = images_per_label
        self.circles = self.circles_of(labels)
        needed = groups_needed(labels, images_per_label)
        self.num_batches = batches or int(-(-needed.sum() // self.per_batch))
        groups = np.minimum(needed, self.num_batches)
        spare = self.num_batches * self.per_batch - int(groups.sum())
        self.groups, self.growing, self.spare = _evened(groups, self.num_batches, spare)

    def __len__(self) -> int:
        """The rows of an epoch: B·P·K."""
        return self.num_batches * self.per_batch * self.size

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (B·P·K,)."""
        rng = np.random.default_rng([self.seed, epoch])
        rows = self.circles.shuffled(rng, epoch, self.surely_shown())
        groups = self.groups.copy()
        groups[rng.choice(self.growing, self.spare, replace=False)] += 1
        # One label's groups after the other's, the labels in random order.
        labels = rng.permutation(len(groups))
        ends = np.cumsum(groups[labels])
        label = np.repeat(labels, groups[labels])  # (B·P,)
        number = np.arange(len(label)) - np.repeat(ends - groups[labels], groups[labels])
        images = rows[self.places_of(rng, label, number)]  # (B·P, K)
        batches = _dealt(rng, ends, self.num_batches, self.per_batch)  # (P, B)
        epoch_rows = np.empty((self.num_batches, self.per_batch, self.size), dtype=np.int64)
        epoch_rows[batches, np.arange(self.per_batch)[:, None]] = images.reshape(
            self.per_batch, self.num_batches, self.size
        )
        return epoch_rows.reshape(-1)

    def circles_of(self, labels: Int64Array) -> Circles:
        """Return the circles that images are taken from: one a label."""
        return Circles(labels, self.seed)

    def surely_shown(self) -> Int64Array:
        """Return how many images of each circle any epoch shows at least."""
        return self.groups * self.size

    def places_of(
        self, rng: np.random.Generator, label: Int64Array, number: Int64Array
    ) -> Int64Array:
        """Return which places in the shuffled circles groups show.

        Args:
            rng: Draws.
            label: Label of each group, (G,).
            number: How many groups of its label came before, (G,).

        Returns:
            Places of the groups' images, (G, K).
        """
        within = number[:, None] * self.size + np.arange(self.size)
        circles = self.circles
        return circles.starts[label, None] + within % circles.counts[label, None]


def groups_needed(labels: Int64Array, images_per_label: int) -> Int64Array:
    """Return how many groups of K show all images of each label, in the labels' order."""
    _, counts = np.unique(labels, return_counts=True)
    return -(-counts // images_per_label)


class Circles:
    """The rows of each label in a random order, gone round from epoch to epoch.

    Args:
        labels: Label of each row, (N,).
        seed: Seed of the run.

    Attributes:
        counts: How many rows each circle has.
        starts: Where each begins among the rows that `shuffled` returns.
    """

    def __init__(self, labels: Int64Array, seed: int) -> None:
        _, codes = np.unique(labels, return_inverse=True)
        self.counts = np.bincount(codes)
        self.starts = np.cumsum(self.counts) - self.counts
        shuffled = np.random.default_rng([seed, 0, 1]).permutation(len(codes))
        self._rows = shuffled[np.argsort(codes[shuffled], kind="stable")]
        self._codes = np.repeat(np.arange(len(self.counts)), self.counts)
        self._places = np.arange(len(codes)) - self.starts[self._codes]

    def shuffled(self, rng: np.random.Generator, epoch: int, shown: Int64Array) -> Int64Array:
        """Return the rows by circle, shuffled within each, those that wait this epoch at its end.

        Args:
            rng: Draws.
            epoch: Number of the epoch.
            shown: How many rows of each circle go on in front every epoch.
        """
        first = epoch * shown % self.counts
        turn = (self._places - first[self._codes]) % self.counts[self._codes]
        waits = turn >= shown[self._codes]
        # Whole circles stay apart: what is added to their code is less than a half.
        return self._rows[np.argsort(self._codes + (rng.random(len(waits)) + waits) / 4)]


def _evened(groups: Int64Array, most: int, spare: int) -> tuple[Int64Array, Int64Array, int]:
    """Give labels further groups, all the same number as far as ``most`` a label allows.

    If ``spare`` is negative, take that many from them, one of each label that has any, and again.

    Returns:
        The groups of each label, the labels that can take another one, and how many of these
        shall: it differs from epoch to epoch which.
    """
    groups = groups.copy()
    if spare < 0:
        while spare < 0:
            growing = np.flatnonzero(groups)
            groups[growing] -= 1
            spare += len(growing)
        return groups, growing, spare
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
