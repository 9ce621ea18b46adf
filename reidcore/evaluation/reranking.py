"""Re-ranking by k-reciprocal neighbours: images with the same neighbours are nearer.

The method of Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR
2017, with the numbers of Torchreid's implementation: what it is given is squared once more, also
the "euclidean" distance, which is squared already.

N is the number of images, Q queries and G gallery items together. Memory is forecast before
anything is computed, so that what does not fit is refused instead of killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reidcore._memory import available_memory
from reidcore.errors import DataError, UserError, counted, quoted
from reidcore.evaluation.distances import Distances, FeatureDistances, MatrixDistances, Rows
from reidcore.evaluation.k_reciprocal import Float32, neighbourhoods, normalised
from reidcore.evaluation.labels import Int64

_WORKSPACE = 300 << 20  # blocks of distances, and what is computed of them
_TILE_COLUMNS = 128  # of a block that is copied from a transposed matrix
_NEIGHBOUR = 256  # bytes for each image and each of its k1 + 1 nearest
_AVERAGED = 64  # and of its k2 nearest


def re_ranking(
    q_g_dist: npt.ArrayLike | Tensor,
    q_q_dist: npt.ArrayLike | Tensor,
    g_g_dist: npt.ArrayLike | Tensor,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
) -> Float32:
    """Re-rank a distance matrix, with Torchreid's arguments.

    `RerankedDistances.of_features` needs no matrix, and a small part of the memory.

    Args:
        q_g_dist: (Q, G) distances, 0 or more; arrays and tensors may be mixed.
        q_q_dist: (Q, Q).
        g_g_dist: (G, G).
        k1: how many nearest images may be reciprocal neighbours.
        k2: over how many nearest images neighbourhoods are averaged.
        lambda_value: the share of the old distance in the new one.

    Returns:
        (Q, G) distances in [0, 1].

    Raises:
        UserError: if a shape or a number is wrong, or a distance is not finite.
    """
    _check_numbers(k1, k2, lambda_value)
    blocks = _Joined(q_g_dist, q_q_dist, g_g_dist)
    queries, images = blocks.num_queries, blocks.shape[1]
    _check_memory(images, k1, k2, beside=4 * queries * (images - queries))
    reranked = RerankedDistances(blocks, queries, k1, k2, lambda_value)
    result = np.empty(reranked.shape, dtype=np.float32)
    for start, rows in reranked.blocks():
        result[start : start + len(rows)] = rows
    return result


class RerankedDistances(Distances):
    """Re-ranked distances of Q queries to G gallery items, made a block of rows at a time.

    Args:
        everything: (N, N) distances of all images to all, the queries first; 0 or more.
        num_queries: Q.
        k1: how many nearest images may be reciprocal neighbours.
        k2: over how many nearest images neighbourhoods are averaged.
        lambda_value: the share of the old distance in the new one.

    Raises:
        UserError: if a shape or a number is wrong, a distance is not finite, or there is not the
            memory that it would take.

    Example:
        >>> distances = RerankedDistances.of_features(query, gallery)
        >>> evaluate(distances, Labels(q_pids, g_pids, q_camids, g_camids)).mAP
    """

    def __init__(
        self,
        everything: Distances,
        num_queries: int,
        k1: int = 20,
        k2: int = 6,
        lambda_value: float = 0.3,
    ) -> None:
        _check_numbers(k1, k2, lambda_value)
        _check_square(everything, num_queries)
        _check_memory(everything.shape[1], k1, k2)
        self._everything = everything
        self._num_queries = num_queries
        self._lambda = lambda_value
        self._parameters = {"k1": int(k1), "k2": int(k2), "lambda": float(lambda_value)}
        found = neighbourhoods(everything, k1, k2)
        self._farthest = found.farthest
        self._weights = found.weights
        self._gallery = found.weights.by_column(num_queries, everything.shape[1])

    @classmethod
    def of_features(
        cls,
        query: npt.ArrayLike | Tensor,
        gallery: npt.ArrayLike | Tensor,
        metric: str = "euclidean",
        k1: int = 20,
        k2: int = 6,
        lambda_value: float = 0.3,
    ) -> RerankedDistances:
        """Re-rank the distances of features, none of which is ever stored as a matrix.

        Args:
            query: (Q, D).
            gallery: (G, D).
            metric: ``"euclidean"`` (squared) or ``"cosine"``.
            k1: see the class.
            k2: see the class.
            lambda_value: see the class.

        Raises:
            UserError: if a shape, a number or the metric is wrong, or a feature is not finite.
        """
        _check_numbers(k1, k2, lambda_value)
        sides = FeatureDistances(query, gallery, metric)  # tells of features that do not fit
        sides.check_sides()
        joined = sides.query.nbytes + sides.gallery.nbytes
        _check_memory(sum(sides.shape), k1, k2, joined if sides.query.device.type == "cpu" else 0)
        everything = torch.cat([sides.query, sides.gallery])
        distances = FeatureDistances(everything, everything, metric)
        return cls(distances, len(sides.query), k1, k2, lambda_value)

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""
        return self._num_queries, self._everything.shape[1] - self._num_queries

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        """Yield re-ranked distances, float32, in blocks of rows."""
        for start, block in self._everything.blocks(rows):
            stop = min(start + len(block), self._num_queries)
            if start >= stop:
                return
            old = normalised(
                block[: stop - start, self._num_queries :], self._farthest[start:stop, None]
            )
            yield start, (1 - self._lambda) * self._jaccard(start, stop) + self._lambda * old

    def conditions(self) -> dict[str, Any]:
        """Return what the distances were, and the parameters of the re-ranking."""
        return self._everything.conditions() | {"rerank": self._parameters}

    def _jaccard(self, start: int, stop: int) -> Float32:
        """Return how little the neighbourhoods of queries and gallery items overlap."""
        gallery = self.shape[1]
        overlap = np.empty((stop - start, gallery), dtype=np.float32)
        for query in range(start, stop):
            mine = slice(*self._weights.first[query : query + 2])
            owner, places = self._gallery.entries(self._weights.columns[mine])
            smaller = np.minimum(self._weights.values[mine][owner], self._gallery.values[places])
            overlap[query - start] = np.bincount(
                self._gallery.columns[places], smaller, minlength=gallery
            )
        jaccard: Float32 = 1 - overlap / (2 - overlap)
        return jaccard


def memory_forecast(num_images: int, k1: int = 20, k2: int = 6) -> int:
    """Return about how many bytes re-ranking takes beside its input and its result."""
    neighbours = min(num_images, k1 + 1) * _NEIGHBOUR + min(num_images, k2) * _AVERAGED
    return num_images * neighbours + min(_WORKSPACE, 64 * num_images**2)


class _Joined(Distances):
    """All images against all, from the matrices of their parts."""

    def __init__(
        self, q_g: npt.ArrayLike | Tensor, q_q: npt.ArrayLike | Tensor, g_g: npt.ArrayLike | Tensor
    ) -> None:
        q_g, q_q, g_g = (_whole(part) for part in (q_g, q_q, g_g))
        queries, gallery = q_g.shape
        if (q_q.shape, g_g.shape) != ((queries, queries), (gallery, gallery)):
            raise DataError(
                f"for {counted(queries, 'query', 'queries')} and "
                f"{counted(gallery, 'gallery item')} q_q_dist is {q_q.shape} and "
                f"g_g_dist {g_g.shape}",
                f"Give ({queries}, {queries}) and ({gallery}, {gallery}).",
            )
        self.num_queries = queries
        # Where a part is not symmetric its columns count, as in Torchreid.
        self._parts = [[q_q.T, q_g], [q_g.T, g_g.T]]
        self._dtype = np.result_type(q_g, q_q, g_g)

    @property
    def shape(self) -> tuple[int, int]:
        total = self.num_queries + len(self._parts[1][0])
        return total, total

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        size = self.num_queries
        height = rows or next(self._spans(None))[1]
        for top, (left, right) in zip((0, size), self._parts, strict=True):
            for first in range(0, len(left), height):
                inner = slice(first, first + height)
                block = np.empty((len(left[inner]), self.shape[1]), dtype=self._dtype)
                _copy(left[inner], block[:, :size])
                _copy(right[inner], block[:, size:])
                yield top + first, block

    def pairs(self, rows: Int64, columns: Int64) -> Rows:
        chosen: Rows = np.empty(len(rows), dtype=self._dtype)
        size = self.num_queries
        for side, other in np.ndindex(2, 2):
            mask = ((rows >= size) == side) & ((columns >= size) == other)
            part = self._parts[side][other]
            chosen[mask] = part[rows[mask] - side * size, columns[mask] - other * size]
        return chosen


def _copy(source: Rows, target: Rows) -> None:
    """Copy what may be transposed, by tiles that a cache holds."""
    for left in range(0, source.shape[1], _TILE_COLUMNS):
        tile = slice(left, left + _TILE_COLUMNS)
        target[:, tile] = source[:, tile]


def _whole(matrix: npt.ArrayLike | Tensor) -> Rows:
    held = MatrixDistances(matrix)
    return next(held.blocks(rows=held.shape[0]))[1]


def _check_numbers(k1: int, k2: int, lambda_value: float) -> None:
    for name, value in (("k1", k1), ("k2", k2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise UserError(f"re-ranking with {name}={quoted(value)}", "Give 1 or more neighbours.")
    if not 0 <= lambda_value <= 1:
        told = f"re-ranking with lambda_value={quoted(lambda_value)}"
        raise UserError(told, "Give a share from 0 to 1.")


def _check_memory(num_images: int, k1: int, k2: int, beside: int = 0) -> None:
    """Refuse what would not fit into memory."""
    needed, free = memory_forecast(num_images, k1, k2) + beside, available_memory()
    if free is not None and needed > free:
        raise UserError(
            f"re-ranking {counted(num_images, 'image')} with k1={k1} and k2={k2} takes about "
            f"{needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free",
            "Lower k1 and k2, re-rank a part of the gallery, or do without.",
        )


def _check_square(everything: Distances, num_queries: int) -> None:
    height, width = everything.shape
    if height != width or not 0 < num_queries < height:
        raise DataError(
            f"re-ranking {counted(num_queries, 'query', 'queries')} by distances of {height} to "
            f"{width} images",
            "Give the distances of queries and gallery together, to themselves.",
        )
