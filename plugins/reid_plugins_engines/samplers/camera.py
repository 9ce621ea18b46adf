"""Batches of P identities with K images each, those of an identity by as many cameras as can be."""

from __future__ import annotations

import numpy as np

from reid_plugins_engines.samplers.groups import Circles, GroupedOrder
from reid_plugins_engines.samplers.sharing import Epoch, batches_in, identities_in_batch
from reidcore.data import Int64Array, SampleTable


class CameraIdentitySampler(GroupedOrder):
    """Shows P identities with K images each in every batch, each identity by several cameras.

    What is to be learnt is to know somebody again before another camera. In the batches of
    `RandomIdentitySampler` the images of an identity are often by one camera, that which saw it
    most. Here they are, for an identity that c cameras saw,

    * by min(K, c) cameras, each with the same share of the K images, as far as it has so many;
    * all different, if there are K of them; if not, each comes as often as the others.

    If c > K, the cameras take turns. An epoch is as long as that of `RandomIdentitySampler`, so
    that images of a camera that saw much wait: those that it has not shown come in the next epochs,
    in a circle. The K images of an identity are neighbours, as they are there.

    FastReID's ``BalancedIdentitySampler`` also looks for other cameras: it draws an image, and
    K - 1 of those that other cameras made of the identity, from all of these alike. A camera that
    saw much of it is then often there several times, and one that saw little is missed.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of ``num_instances``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_instances: Images of an identity in a batch, K.
        epoch: How long one is, ``all`` or ``size``: see `RandomIdentitySampler`.

    Raises:
        ConfigError: The batch is no multiple of K, or asks for more identities than there are.
    """

    def __init__(
        self,
        table: SampleTable,
        batch_size: int,
        seed: int,
        num_instances: int = 4,
        epoch: Epoch = "all",
    ) -> None:
        identities = identities_in_batch(table, batch_size, num_instances)
        pids, cameras = (
            np.unique(labels, return_inverse=True)[1].reshape(-1)
            for labels in (table.pids, table.camids)
        )
        # A cell is what one camera saw of one identity; those of an identity are neighbours.
        self._cells = pids * (int(cameras.max(initial=0)) + 1) + cameras
        self._owner = pids[np.unique(self._cells, return_index=True)[1]]  # (number of cells,)
        batches = batches_in(epoch, table, batch_size)
        super().__init__(table.pids, identities, num_instances, seed, batches)
        self._share()

    def circles_of(self, labels: Int64Array) -> Circles:
        """Return one circle for each cell."""
        return Circles(self._cells, self.seed)

    def _share(self) -> None:
        """Say what a group of an identity shows of each of its cells.

        Every group shows the same number of each, or all of a cell that has no more: that is fixed.
        The places left over, fewer than such cells, go round the cells that have more.
        """
        counts, owner = self.circles.counts, self._owner
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        level = np.zeros(len(first), dtype=np.int64)
        for height in range(1, self.size + 1):
            level += np.add.reduceat(np.minimum(counts, height), first) <= self.size
        self._fixed = np.minimum(counts, level[owner])
        self._num_fixed = np.add.reduceat(self._fixed, first)
        self._first_fixed = np.cumsum(self._num_fixed) - self._num_fixed
        self._fixed_cells = np.repeat(np.arange(len(counts)), self._fixed)
        self._has_turns = counts > level[owner]
        self._turning = np.flatnonzero(self._has_turns)
        self._num_turning = np.bincount(owner[self._turning], minlength=len(first))
        self._first_turning = np.cumsum(self._num_turning) - self._num_turning
        self._left = np.where(self._num_turning > 0, self.size - self._num_fixed, 0)

    def surely_shown(self) -> Int64Array:
        """Return how many images of each cell any epoch shows at least."""
        shown = self._fixed * self.groups[self._owner]
        owner = self._owner[self._turning]
        shown[self._turning] += self.groups[owner] * self._left[owner] // self._num_turning[owner]
        return shown

    def places_of(
        self, rng: np.random.Generator, label: Int64Array, number: Int64Array
    ) -> Int64Array:
        """Return which places in the shuffled circles groups show, see `GroupedOrder`."""
        owner = self._owner[self._turning]
        turning = self._turning[np.argsort(owner + rng.random(len(owner)) / 2)]
        rank = np.zeros(len(self._owner), dtype=np.int64)
        rank[turning] = np.arange(len(turning)) - self._first_turning[owner]

        label, number = label[:, None], number[:, None]
        cell = self._cells_shown(turning, label, number)  # (G, K)
        # In a group the images of a cell follow one another.
        again = np.zeros_like(cell)
        for slot in range(1, self.size):
            again[:, slot] = (cell[:, :slot] == cell[:, slot, None]).sum(axis=1)
        # The groups before have shown it by what is fixed, and each time when it was its turn.
        turns = np.maximum(self._num_turning[label], 1)
        by_turns = -((rank[cell] - number * self._left[label]) // turns)
        before = number * self._fixed[cell] + np.where(self._has_turns[cell], by_turns, 0)
        return self.circles.starts[cell] + (before + again) % self.circles.counts[cell]

    def _cells_shown(
        self, turning: Int64Array, label: Int64Array, number: Int64Array
    ) -> Int64Array:
        """Return whose images groups show: first what is fixed, then whose turn it is.

        Args:
            turning: The cells that take turns, by identity, in the order of this epoch.
            label: Identity of each group, (G, 1).
            number: How many groups of it came before, (G, 1).

        Returns:
            Cells, (G, K).
        """
        slot = np.arange(self.size)
        fixed, left = self._num_fixed[label], self._left[label]
        # An identity of fewer than K images begins again, at another one in each group.
        round_about = (slot + number * self.size) % np.maximum(fixed, 1)
        at = self._first_fixed[label] + np.where(left > 0, slot, round_about)
        turn = (number * left + slot - fixed) % np.maximum(self._num_turning[label], 1)
        takes_turn = (left > 0) & (slot >= fixed)
        cells = _taken(self._fixed_cells, np.where(takes_turn, 0, at))
        cells[takes_turn] = _taken(turning, self._first_turning[label] + turn)[takes_turn]
        return cells


def _taken(values: Int64Array, places: Int64Array) -> Int64Array:
    """Return values by place, the last one beyond the end; zeros where there are no values."""
    return values.take(places, mode="clip") if len(values) else np.zeros_like(places)
