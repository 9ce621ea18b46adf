"""Each image's k-reciprocal neighbours, as a sparse vector of weights.

Two images are k-reciprocal neighbours if each is among the k nearest of the other (Zhong et al.,
"Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017). N is the number of
images, queries and gallery together. Memory is N times a few dozen numbers, beside one block of
distances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reidcore.errors import DataError
from reidcore.evaluation.distances import Distances, Rows
from reidcore.evaluation.labels import Int64

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

_CACHED = 1 << 19  # distances that are gone through several times
_CHUNK = 1 << 22  # entries of a mask over some images and all their possible neighbours


@dataclass(frozen=True)
class SparseRows:
    """Rows of which few entries are not zero.

    Attributes:
        first: (rows + 1,) where each row's entries begin.
        columns: (entries,) ascending within a row.
        values: (entries,).
    """

    first: Int64
    columns: Int64
    values: Float32

    def __len__(self) -> int:
        return len(self.first) - 1

    def entries(self, rows: Int64) -> tuple[Int64, Int64]:
        """Return the entries of chosen rows: whose they are, as a place in ``rows``, and where."""
        starts = self.first[rows]
        sizes = self.first[rows + 1] - starts
        offsets = starts - np.cumsum(sizes) + sizes
        owner = np.repeat(np.arange(len(rows)), sizes)
        return owner, np.arange(len(owner)) + offsets[owner]

    def by_column(self, start: int, num_columns: int) -> SparseRows:
        """Return the transpose of the rows from ``start`` on, which are then counted from 0."""
        begin = self.first[start]
        columns, values = self.columns[begin:], self.values[begin:]
        owner = np.repeat(np.arange(len(self) - start), np.diff(self.first[start:]))
        order = np.argsort(columns, kind="stable")
        first = np.searchsorted(columns[order], np.arange(num_columns + 1))
        return SparseRows(first, owner[order], values[order])


@dataclass(frozen=True)
class Neighbourhoods:
    """What re-ranking needs to know of all images.

    Attributes:
        weights: N rows of N: how much each image belongs to another's neighbours; a row sums to 1.
        farthest: (N,) distance to the farthest image, 1 where all images are alike.
    """

    weights: SparseRows
    farthest: Float32


def neighbourhoods(distances: Distances, k1: int, k2: int) -> Neighbourhoods:
    """Find the k-reciprocal neighbours of all images.

    Args:
        distances: of all N images to all of them, in two passes over its rows.
        k1: how many nearest images, beside the image itself, may be reciprocal.
        k2: over how many nearest images the weights are averaged; 1 averages none.

    Raises:
        DataError: if a distance is not finite in float32.
    """
    nearest, farthest = nearest_items(distances, max(k1 + 1, k2))
    # Python rounds a half to the even number, and so do the published results.
    members = _members(nearest[:, : k1 + 1], nearest[:, : round(k1 / 2) + 1])
    weights = _weighted(members, distances, farthest)
    if k2 > 1:
        weights = _averaged(weights, nearest[:, :k2])
    return Neighbourhoods(weights, farthest)


def normalised(distances: Rows, farthest: Float32) -> Float32:
    """Return squared distances as shares of the largest; dividing first, nothing overflows."""
    # A negative distance is 0 that was rounded.
    shares: Float32 = np.square(np.maximum(distances, 0) / farthest, dtype=np.float32)
    return shares


def nearest_items(distances: Distances, count: int) -> tuple[Int64, Float32]:
    """Find the nearest gallery items of each query, in one pass and in the memory of a block.

    Args:
        distances: of Q queries to G gallery items; negative ones are 0 that was rounded.
        count: how many to find, all of them where there are fewer.

    Returns:
        (Q, count) the items, nearest first and in their order where equally near; and (Q,) how far
        the farthest item is, 1 where all are at 0.

    Raises:
        DataError: if a distance is not finite in float32.
    """
    queries, size = distances.shape
    count = min(count, size)
    nearest = np.empty((queries, count), dtype=np.int64)
    farthest = np.empty(queries, dtype=np.float32)
    for start, block in distances.tensors():
        for part in torch.split(block, max(1, _CACHED // size)):
            stop = start + len(part)
            farthest[start:stop] = _farthest(start, part)
            nearest[start:stop] = _smallest(part.clamp(min=0), count).cpu().numpy()
            start = stop
    farthest[farthest == 0] = 1
    return nearest, farthest


def _farthest(start: int, rows: Tensor) -> Float32:
    """Return (r,) the largest distances, or 0 for negative ones, which are 0 that was rounded.

    Raises:
        DataError: if they leave no share of the largest: infinite, or too large for float32.
    """
    ends = torch.stack([rows.amin(1), rows.amax(1)], dim=1).cpu().numpy()  # NaN where there is one
    bad = np.argwhere(~(np.abs(ends) <= np.finfo(np.float32).max))
    if len(bad):
        row, end = bad[0]
        raise DataError(
            f"a distance of image {start + row} is {str(ends[row, end]).replace('nan', 'NaN')}",
            "Re-ranking takes each distance as a share of the largest: look for such numbers in "
            "the features or in the distance matrices.",
        )
    largest: Float32 = np.maximum(ends[:, 1], 0).astype(np.float32)
    return largest


def _smallest(rows: Tensor, count: int) -> Tensor:
    """Return (r, count) the columns of the smallest entries, the lower column first in a tie."""
    height, width = rows.shape
    # Each of so many groups of columns has an entry no larger than the largest of the least ones.
    depth = max(1, width // (4 * count))
    groups = width // depth
    least = rows[:, : depth * groups].view(height, depth, groups).amin(1)  # (r, groups)
    bound = least.topk(count, dim=1, largest=False).values.amax(1, keepdim=True)
    row, column = _places(rows <= bound)  # hardly more than count a row, unless entries are equal
    order = rows[row, column].argsort(stable=True)
    order = order[row[order].argsort(stable=True)]  # by row, value and column
    sizes = torch.bincount(row, minlength=height)
    first = sizes.cumsum(0) - sizes
    return column[order[first[:, None] + torch.arange(count, device=rows.device)]]


def _places(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and columns of a mask's few true entries, in order."""
    if mask.device.type == "cpu":  # several times faster than torch's
        flat = torch.from_numpy(np.flatnonzero(mask.numpy()))
    else:
        flat = mask.flatten().nonzero().flatten()
    row = flat.div(mask.size(1), rounding_mode="floor")
    return row, flat - row * mask.size(1)


def _members(near: Int64, nearer: Int64) -> tuple[Int64, Int64]:
    """Return the pairs (image, member of its expanded neighbours), ordered.

    An image's reciprocal neighbours are joined by those of each of them that shares more than two
    thirds of its own, taken among half as many.

    Args:
        near: (N, k1 + 1) nearest images.
        nearer: (N, k1 / 2 + 1) of them.
    """
    mutual, closely_mutual = _is_mutual(near), _is_mutual(nearer)
    sizes = closely_mutual.sum(1)
    found = []
    for rows in _chunks(len(near), len(near)):
        inside = np.zeros((rows.stop - rows.start, len(near)), dtype=np.bool_)
        owner, place = mutual[rows].nonzero()
        candidate = near[rows][owner, place]
        inside[owner, candidate] = True
        theirs, counts = nearer[candidate], closely_mutual[candidate]
        shared = (inside[owner[:, None], theirs] & counts).sum(1)
        joins = counts & (3 * shared > 2 * sizes[candidate])[:, None]
        pair, place = joins.nonzero()
        inside[owner[pair], theirs[pair, place]] = True
        image, member = np.divmod(np.flatnonzero(inside), len(near))  # faster than in two axes
        found.append((image + rows.start, member))
    images, members = zip(*found, strict=True)
    return np.concatenate(images), np.concatenate(members)


def _is_mutual(nearest: Int64) -> Bool:
    """Say of each of the (N, k) nearest images whether the image is among its k nearest too."""
    size = len(nearest)
    image = np.arange(size)[:, None]
    return np.isin(nearest * size + image, image * size + nearest, assume_unique=True)


def _weighted(members: tuple[Int64, Int64], distances: Distances, farthest: Float32) -> SparseRows:
    """Weigh each member by its distance, so that each image's weights sum to 1."""
    images, columns = members
    apart = normalised(distances.pairs(images, columns), farthest[images])
    weights = np.exp(-apart)
    sums = np.bincount(images, weights, minlength=len(farthest))
    first = np.searchsorted(images, np.arange(len(farthest) + 1))
    return SparseRows(first, columns, (weights / sums[images]).astype(np.float32))


def _averaged(weights: SparseRows, nearest: Int64) -> SparseRows:
    """Replace each row by the mean of its image's nearest ones, itself among them."""
    size, count = nearest.shape
    sizes, columns, values = [], [], []
    for rows in _chunks(size, 8 * count * -(-len(weights.columns) // size)):  # 8: keys are sorted
        owner, places = weights.entries(nearest[rows].ravel())
        keys = (owner // count) * size + weights.columns[places]
        kept, inverse = np.unique(keys, return_inverse=True)
        sizes.append(np.bincount(kept // size, minlength=rows.stop - rows.start))
        columns.append(kept % size)
        values.append(np.bincount(inverse, weights.values[places]).astype(np.float32) / count)
    first = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return SparseRows(first, np.concatenate(columns), np.concatenate(values))


def _chunks(count: int, width: int) -> Iterator[slice]:
    height = max(1, _CHUNK // width)
    for start in range(0, count, height):
        yield slice(start, min(start + height, count))
