"""Evaluate distances or features under a protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from reidcore.evaluation.bootstrap import intervals
from reidcore.evaluation.cuhk03 import Cuhk03
from reidcore.evaluation.distances import Distances, FeatureDistances, MatrixDistances
from reidcore.evaluation.kernel import counting_with
from reidcore.evaluation.labels import Labels
from reidcore.evaluation.protocols import (
    EvaluationProtocol,
    Market1501,
    check_needs,
    check_shapes,
    pooled,
    why_no_match,
    with_ap,
)
from reidcore.evaluation.result import RANKS, NoMatchError, RankingResult


def evaluate(
    distances: Distances | npt.ArrayLike | Tensor,
    labels: Labels,
    protocol: EvaluationProtocol | None = None,
    max_rank: int = 50,
    ties: str = "pessimistic",
    ap: str | None = None,
    ranks: Sequence[int] = RANKS,
) -> RankingResult:
    """Evaluate distances under a protocol.

    Args:
        distances: of Q queries to G gallery items; a plain (Q, G) matrix will do.
        labels: the identities and cameras of both sides.
        protocol: Market1501's by default.
        max_rank: how far the CMC goes.
        ties: ``"pessimistic"``: a non-match at a match's distance stands before it;
            ``"optimistic"``: behind it.
        ap: ``"plain"`` or ``"trapezoid"``, see `reduce_ranks`; None is the protocol's own.
        ranks: those of the CMC that get an interval.

    Returns:
        The figures, with their conditions and 95 % intervals.

    Raises:
        UserError: if shapes differ, a distance is NaN, labels lack a column that the protocol
            needs, or no query has a match.
    """
    if not isinstance(distances, Distances):
        distances = MatrixDistances(distances)
    if isinstance(distances, FeatureDistances):
        distances.check_sides()
    protocol = with_ap(protocol or Market1501(), ap)
    check_needs(protocol, labels)
    try:
        found = protocol.evaluate(distances, labels, max_rank=max_rank, ties=ties)
    except NoMatchError as error:
        raise NoMatchError(error.what, why_no_match(labels)) from error
    if not isinstance(found, RankingResult):
        return found  # a plugin's mistake, which the engine tells
    by_protocol: Mapping[str, Any] = getattr(protocol, "conditions", dict)()
    return replace(
        found,
        conditions={
            **by_protocol,
            "ties": ties,
            **distances.conditions(),
            **_columns(protocol, labels),
            **found.conditions,
        },
        intervals={
            **intervals(found.contributions(ranks), labels.q_pids, shares={*found.summary(ranks)}),
            **found.intervals,
        },
    )


def _columns(protocol: EvaluationProtocol, labels: Labels) -> dict[str, dict[str, str]]:
    """Return the beginning of a SHA-256 of each column that a protocol needs, as ``columns``."""
    digests = {}
    for name in getattr(protocol, "needs", ()):
        text = repr([side.tolist() for side in labels.column(name)])
        digests[name] = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]
    return {"columns": digests} if digests else {}


def evaluate_features(
    query_features: npt.ArrayLike | Tensor,
    gallery_features: npt.ArrayLike | Tensor,
    q_pids: npt.ArrayLike,
    g_pids: npt.ArrayLike,
    q_camids: npt.ArrayLike,
    g_camids: npt.ArrayLike,
    metric: str = "euclidean",
    max_rank: int = 50,
    ties: str = "pessimistic",
    protocol: EvaluationProtocol | None = None,
    columns: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
    ap: str | None = None,
    ranks: Sequence[int] = RANKS,
) -> RankingResult:
    """Evaluate features without ever storing a distance matrix.

    Args:
        query_features: (Q, D).
        gallery_features: (G, D).
        q_pids: (Q,) identities of the queries.
        g_pids: (G,) identities of the gallery.
        q_camids: (Q,) cameras of the queries.
        g_camids: (G,) cameras of the gallery.
        metric: ``"euclidean"`` or ``"cosine"``.
        max_rank: how far the CMC goes.
        ties: see `evaluate`.
        protocol: Market1501's by default.
        columns: further columns of both sides, ``{"clothes": ((Q,), (G,))}``, for protocols that
            need them.
        ap: see `evaluate`.
        ranks: see `evaluate`.

    Raises:
        UserError: if shapes differ, a feature is not finite, or zero under cosine, the two sides
            are of different models, labels lack a column that the protocol needs, or no query has a
            match.
    """
    q_columns, g_columns = (
        {name: both[side] for name, both in (columns or {}).items()} for side in (0, 1)
    )
    labels = Labels(q_pids, g_pids, q_camids, g_camids, q_columns, g_columns)
    distances = FeatureDistances(query_features, gallery_features, metric)
    check_shapes(distances, labels)
    protocol = protocol or Market1501()
    check_needs(protocol, labels)
    groups = pooled(protocol, distances.query, distances.gallery, labels)
    if groups is not None:
        distances = FeatureDistances(groups.query, groups.gallery, metric)
        labels = labels.take(groups.query_rows, groups.gallery_rows)
    return evaluate(distances, labels, protocol, max_rank, ties, ap, ranks)


def evaluate_rank(
    distmat: npt.ArrayLike | Tensor,
    q_pids: npt.ArrayLike,
    g_pids: npt.ArrayLike,
    q_camids: npt.ArrayLike,
    g_camids: npt.ArrayLike,
    max_rank: int = 50,
    use_metric_cuhk03: bool = False,
    use_cython: bool = True,
) -> tuple[npt.NDArray[np.float32], float]:
    """Evaluate a distance matrix, with Torchreid's arguments.

    Args:
        distmat: (Q, G) distances.
        q_pids: (Q,) identities of the queries.
        g_pids: (G,) identities of the gallery.
        q_camids: (Q,) cameras of the queries.
        g_camids: (G,) cameras of the gallery.
        max_rank: how far the CMC goes.
        use_metric_cuhk03: one gallery image for each identity, in exact expectation.
        use_cython: False counts with torch; the result is the same.

    Returns:
        The (min(max_rank, G),) CMC and the mAP, in [0, 1].

    Raises:
        UserError: if shapes differ, a distance is NaN, or no query has a match.
    """
    labels = Labels(q_pids, g_pids, q_camids, g_camids)
    protocol = Cuhk03() if use_metric_cuhk03 else Market1501()
    with nullcontext() if use_cython else counting_with("torch"):
        result = evaluate(distmat, labels, protocol, max_rank)
    return result.cmc.astype(np.float32), result.mAP
