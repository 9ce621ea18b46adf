"""Grouping images by their distances, and how well the groups agree with identities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from reidcore.errors import DataError
from reidcore.evaluation import Distances

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_MEMORY = 4 << 30  # bytes that the matrix and its copy in the clustering may take


def average_linkage(distances: Distances) -> Float64:
    """Merge the two groups that are nearest on average, again and again, until one is left.

    Args:
        distances: (N, N) of all images to all; what is above the diagonal counts.

    Returns:
        (N - 1, 4) the merges, as scipy has them.

    Raises:
        DataError: if that would take too much memory.
    """
    count = distances.shape[0]
    needed = 8 * count**2  # half a matrix in float64, and a copy of it
    if needed > _MEMORY:
        raise DataError(
            f"average linkage of {count:,} images would take {needed / 2**30:.1f} GB of memory",
            "Take discovery.method=components with a threshold, or discovery.images=query.",
        )
    condensed = np.empty(count * (count - 1) // 2)
    end = 0
    for start, block in distances.blocks():
        for place, row in enumerate(block, start=start):
            begin, end = end, end + count - 1 - place
            condensed[begin:end] = row[place + 1 :]
    merges: Float64 = linkage(np.maximum(condensed, 0), method="average")
    return merges


def cut_at(merges: Float64, threshold: float) -> Int64:
    """Return (N,) the group of each image, where groups farther apart than that stay apart."""
    groups: Int64 = fcluster(merges, threshold, criterion="distance").astype(np.int64)
    return groups


def cut_into(merges: Float64, count: int) -> Int64:
    """Return (N,) the group of each image of so many groups; ties may leave fewer."""
    groups: Int64 = fcluster(merges, count, criterion="maxclust").astype(np.int64)
    return groups


def components(distances: Distances, threshold: float) -> Int64:
    """Return (N,) the group of each image, joined with all others within the threshold.

    The memory is that of a block, however many pairs are within it.

    Args:
        distances: (N, N) of all images to all.
        threshold: two images at this distance are joined too.
    """
    count = distances.shape[0]
    group = np.arange(count)
    for start, block in distances.blocks():
        row, column = np.nonzero(block <= threshold)
        edges = group[start + row], group[column]
        graph = coo_matrix((np.ones(len(row), dtype=np.bool_), edges), shape=(count, count))
        group = connected_components(graph, directed=False)[1][group]
    return group.astype(np.int64)


def agreement(groups: Int64, identities: Int64) -> Mapping[str, float]:
    """Measure how well groups of images agree with identities.

    Args:
        groups: (N,) the group of each image.
        identities: (N,) who is in it.

    Returns:
        ``ARI``: the adjusted Rand index (Hubert and Arabie, "Comparing Partitions", Journal of
        Classification 1985), 0 for a grouping by chance and 1 for the right one; ``NMI``: mutual
        information over the mean of both entropies; ``purity``: the share of images of whoever is
        in their group most often; ``false merges``: the share of pairs in one group that are of
        two identities; ``false splits``: the share of pairs of one identity that are in two groups;
        ``mixed clusters``: the share of groups of several identities; ``clusters``: how many there
        are.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    _, person, seen = np.unique(identities, return_inverse=True, return_counts=True)
    cell, cells = np.unique(group * len(seen) + person, return_counts=True)
    of_group = cell // len(seen)
    together, same_group, same_person = (_pairs(each) for each in (cells, sizes, seen))
    most = np.zeros(len(sizes), dtype=np.int64)
    np.maximum.at(most, of_group, cells)
    return {
        "ARI": _adjusted_rand(together, same_group, same_person, len(group)),
        "NMI": _mutual_information(cells, sizes, seen),
        "purity": float(most.sum() / len(group)),
        "false merges": 1 - together / same_group if same_group else 0.0,
        "false splits": 1 - together / same_person if same_person else 0.0,
        "mixed clusters": float((np.bincount(of_group) > 1).mean()),
        "clusters": float(len(sizes)),
    }


def _pairs(sizes: Int64) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _adjusted_rand(together: int, same_group: int, same_person: int, count: int) -> float:
    by_chance = same_group * same_person / max(1, count * (count - 1) // 2)
    best = (same_group + same_person) / 2
    return 1.0 if best == by_chance else (together - by_chance) / (best - by_chance)


def _mutual_information(cells: Int64, sizes: Int64, seen: Int64) -> float:
    of_groups, of_people, joint = (_entropy(each) for each in (sizes, seen, cells))
    both = of_groups + of_people
    return 1.0 if both == 0 else 2 * (both - joint) / both


def _entropy(sizes: Int64) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())
