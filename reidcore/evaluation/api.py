"""Evaluate distances or features under a protocol."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
from torch import Tensor

from reidcore.evaluation.cuhk03 import Cuhk03
from reidcore.evaluation.distances import Distances, FeatureDistances, MatrixDistances
from reidcore.evaluation.kernel import counting_with
from reidcore.evaluation.labels import Labels
from reidcore.evaluation.protocols import EvaluationProtocol, Market1501
from reidcore.evaluation.result import RankingResult


def evaluate(
    distances: Distances | npt.ArrayLike | Tensor,
    labels: Labels,
    protocol: EvaluationProtocol | None = None,
    max_rank: int = 50,
    ties: str = "pessimistic",
) -> RankingResult:
    """Evaluate distances under a protocol.

    Args:
        distances: of Q queries to G gallery items; a plain (Q, G) matrix will do.
        labels: the identities and cameras of both sides.
        protocol: Market1501's by default.
        max_rank: how far the CMC goes.
        ties: ``"pessimistic"``: a non-match at a match's distance stands before it;
            ``"optimistic"``: behind it.

    Raises:
        UserError: if shapes differ, a distance is NaN, or no query has a match.
    """
    if not isinstance(distances, Distances):
        distances = MatrixDistances(distances)
    return (protocol or Market1501()).evaluate(distances, labels, max_rank=max_rank, ties=ties)


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

    Raises:
        UserError: if shapes differ, a feature is not finite, or no query has a match.
    """
    labels = Labels(q_pids, g_pids, q_camids, g_camids)
    distances = FeatureDistances(query_features, gallery_features, metric)
    return evaluate(distances, labels, protocol, max_rank, ties)


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
