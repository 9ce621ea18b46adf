"""The parts of a target's evidence: arrays by name, each what one section of the report shows.

Shapes: Q queries, n things that were kept, k gallery items of a ranking. Labels are texts, as the
dataset calls its identities and cameras; a tracklet's path is that of its middle frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Queries:
    """The figures of each query.

    Attributes:
        ap: (Q,) average precision, NaN for a query that was skipped.
        rank1: (Q,) 1 for a query with a match at rank 1, 0 for others, between them a mean over
            draws; NaN for a query that was skipped, and of all where a protocol's rank-1 is no
            mean of such shares.
        pid: (Q,) identities, whose queries are drawn together by the bootstrap.
    """

    ap: Floats
    rank1: Floats
    pid: Ints


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves over ranks and over recall.

    Attributes:
        cmc: (ranks,) share of queries with a match at rank 1, 2, ...
        precision: (101,) interpolated precision at a recall of 0, 0.01, ..., 1, the mean over the
            queries; empty where the protocol has no ranks of matches.
    """

    cmc: Floats
    precision: Floats


@dataclass(frozen=True, eq=False)
class Spread:
    """How distances of matches and of non-matches are spread: all pairs that count, in bins.

    Attributes:
        edges: (bins + 1,) ascending; a bin has its lower edge and lacks its upper one. What lies
            outside is in the first and the last.
        matches: (bins,) pairs of a query and a match.
        nonmatches: (bins,) pairs of a query and a non-match.
    """

    edges: Floats
    matches: Ints
    nonmatches: Ints


@dataclass(frozen=True, eq=False)
class Rankings:
    """Rankings of the hardest queries, the hardest first.

    Attributes:
        ap: (n,) average precision.
        first_rank: (n,) rank of the nearest match in the whole gallery, whatever a protocol draws
            of it; 0 where there is none.
        num_matches: (n,) matches in the gallery.
        path, pid, camid: (n,) of the query.
        item_path, item_pid, item_camid: (n, k) of its nearest gallery items, nearest first; empty
            texts where there are fewer.
        distance: (n, k).
        matched: (n, k) whether an item is a match.
        match_path: (n,) of its nearest match.
    """

    ap: Floats
    first_rank: Ints
    num_matches: Ints
    path: Texts
    pid: Texts
    camid: Texts
    item_path: Texts
    item_pid: Texts
    item_camid: Texts
    distance: Floats
    matched: Flags
    match_path: Texts


@dataclass(frozen=True, eq=False)
class LookAlikes:
    """Pairs of different identities that the model takes for one another, nearest first.

    Attributes:
        distance: (n,) of a pair.
        path, pid, camid: (n,) of the query.
        item_path, item_pid, item_camid: (n,) of the non-match.
    """

    distance: Floats
    path: Texts
    pid: Texts
    camid: Texts
    item_path: Texts
    item_pid: Texts
    item_camid: Texts


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Features of some identities' images, in fewer dimensions.

    Attributes:
        features: (n, d) principal components, the greatest first.
        explained: share of the variance that the first two keep.
        path, pid, camid: (n,).
        is_query: (n,).
    """

    features: Floats
    explained: Floats
    path: Texts
    pid: Texts
    camid: Texts
    is_query: Flags


@dataclass(frozen=True, eq=False)
class Slices:
    """What is known of queries by which failures may be told apart, a column for each.

    Attributes:
        query: (n,) which queries.
        name: (columns,) of each column.
        value: (n, columns) NaN where it is not known.
        text: (columns, most) what the values 0, 1, ... of a column stand for; empty where they are
            numbers themselves.
    """

    query: Ints
    name: Texts
    value: Floats
    text: Texts


@dataclass(frozen=True, eq=False)
class Cameras:
    """Figures by the cameras of query and gallery.

    Attributes:
        query, gallery: (q,) and (g,) cameras.
        mAP, rank1: (q, g), NaN where no query has a match.
        count: (q, g) queries with a match.
    """

    query: Texts
    gallery: Texts
    mAP: Floats
    rank1: Floats
    count: Ints


@dataclass(frozen=True, eq=False)
class Attention:
    """Where the network looks in the pictures of some queries.

    Attributes:
        path: (n,).
        heat: (n, h, w) from 0 to 255.
    """

    path: Texts
    heat: npt.NDArray[np.uint8]
