"""Batches of identities that the network confuses: graph sampling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np

from reid_plugins_engines.samplers.groups import Circles
from reid_plugins_engines.samplers.sharing import identities_in_batch
from reidcore.data import Int64Array, SampleTable, generators_kept

if TYPE_CHECKING:
    from torch import Tensor, nn

    from reidcore.engine import Engine

_ROWS = 1024
"""Identities whose distances from all others are held at once."""


class HardIdentitySampler:
    """Shows every identity with those that the network confuses it with, K images of each.

    Graph sampling (Liao and Shao, Graph Sampling Based Deep Metric Learning for Generalizable
    Person Re-Identification, CVPR 2022): before each epoch the network looks at one image of each
    identity, drawn anew, as a test would. Each identity is then the anchor of a batch, which holds
    the P - 1 identities nearest to it besides.

    An epoch has as many batches as there are identities, in random order: it is longer than that of
    `RandomIdentitySampler` where identities have fewer than P·K images. An identity shows at least
    K images of it, more if it is near to several, and each epoch the next ones, in a circle. The K
    images of an identity are neighbours, and the anchor's come first.

    An epoch that the network has not looked at, in a loader by hand, has random identities beside
    the anchor.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of ``num_instances``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_instances: Images of an identity in a batch, K.
        centers: What stands for an identity: one ``image``, as in the paper, or the ``mean`` of the
            features of all its images, which takes as long as a test on them.

    Raises:
        ConfigError: The batch is no multiple of K, or asks for more identities than there are.
    """

    def __init__(
        self,
        table: SampleTable,
        batch_size: int,
        seed: int,
        num_instances: int = 4,
        centers: Literal["image", "mean"] = "image",
    ) -> None:
        self.per_batch = identities_in_batch(table, batch_size, num_instances)
        self.size = num_instances
        self.seed = seed
        self.centers = centers
        self._table = table
        _, self._codes = np.unique(table.pids, return_inverse=True)
        self._circles = Circles(table.pids, seed)
        self.num_batches = len(self._circles.counts)
        self._near: tuple[int, Int64Array] | None = None  # the epoch, and (C, P - 1) identities

    def __len__(self) -> int:
        """The rows of an epoch: C·P·K, of C identities."""
        return self.num_batches * self.per_batch * self.size

    def update(self, engine: Engine) -> None:
        """Find the nearest identities of each, by features as a test compares them."""
        rng = np.random.default_rng([self.seed, engine.epoch, 3])
        rows = self._one_of_each(rng) if self.centers == "image" else np.arange(len(self._table))
        features, read = _features(engine, self._table.take(rows))
        centers = _means(features, self._codes[rows[read]], self.num_batches)
        near = nearest(centers, self.per_batch - 1, engine.plan.dist_metric)
        self._near = engine.epoch, near

    def order(self, epoch: int) -> Int64Array:
        """Return the rows of an epoch, (C·P·K,)."""
        rng = np.random.default_rng([self.seed, epoch])
        is_known = self._near is not None and self._near[0] == epoch
        near = self._near[1] if self._near and is_known else self._random(rng)
        anchors = rng.permutation(self.num_batches)
        label = np.column_stack((anchors, near[anchors])).reshape(-1)  # (C, P) to (C·P,)
        counts, starts = self._circles.counts, self._circles.starts
        rows = self._circles.shuffled(rng, epoch, np.full_like(counts, self.size))
        within = _earlier(label)[:, None] * self.size + np.arange(self.size)  # (C·P, K)
        return rows[starts[label, None] + within % counts[label, None]].reshape(-1)

    def _one_of_each(self, rng: np.random.Generator) -> Int64Array:
        """Return a row of each identity, (C,)."""
        drawn = rng.permutation(len(self._codes))
        return drawn[np.unique(self._codes[drawn], return_index=True)[1]]

    def _random(self, rng: np.random.Generator) -> Int64Array:
        """Return other identities for each, (C, P - 1): those that follow it in random steps."""
        others = self.num_batches - 1
        steps = 1 + np.sort(rng.permutation(others)[: self.per_batch - 1])
        shuffled = rng.permutation(self.num_batches)
        places = np.arange(self.num_batches)[:, None] + steps
        near = np.empty((self.num_batches, self.per_batch - 1), dtype=np.int64)
        near[shuffled] = shuffled[places % self.num_batches]
        return near


def nearest(centers: Tensor, count: int, metric: str) -> Int64Array:
    """Return the nearest others of each center, nearest first.

    Args:
        centers: (C, D).
        count: how many others, below C.
        metric: ``euclidean`` or ``cosine``.

    Returns:
        (C, count).
    """
    import torch

    from reidcore.metrics import compute_distance_matrix

    found = []
    for first in range(0, len(centers), _ROWS):
        distances = compute_distance_matrix(centers[first : first + _ROWS], centers, metric)
        own = torch.arange(len(distances))
        distances[own, first + own] = torch.inf
        found.append(distances.topk(count, dim=1, largest=False).indices)
    return torch.cat(found).numpy()


def _features(engine: Engine, table: SampleTable) -> tuple[Tensor, Int64Array]:
    """Return the features (N, D) of training images and their rows; training is not disturbed."""
    from reid_plugins_standard.test_time import features_of_samples

    with generators_kept(), _in_eval_mode(engine.model):
        return features_of_samples(engine, table)


@contextmanager
def _in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and each of its modules back into its own."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, was in training.items():
            module.training = was


def _means(features: Tensor, labels: Int64Array, count: int) -> Tensor:
    """Return the mean (C, D) of the features (N, D) of each label.

    A label without any, whose images cannot be read, stands amid all.
    """
    import torch

    sums = features.new_zeros(count, features.shape[1])
    sums.index_add_(0, torch.from_numpy(labels), features)
    counts = torch.from_numpy(np.bincount(labels, minlength=count))[:, None]
    return torch.where(counts > 0, sums / counts.clamp(min=1), features.mean(dim=0))


def _earlier(labels: Int64Array) -> Int64Array:
    """Return how often each entry came before, (n,)."""
    by_label = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[by_label], prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    earlier = np.empty(len(labels), dtype=np.int64)
    earlier[by_label] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return earlier
