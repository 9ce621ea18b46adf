"""Torchreid's functions of distances and ranks below ``torchreid.metrics``."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from torch import Tensor

from reidcore.metrics import compute_distance_matrix, evaluate_rank

__all__ = [
    "cosine_distance",
    "euclidean_squared_distance",
    "eval_cuhk03",
    "eval_market1501",
    "evaluate_py",
]

Found: TypeAlias = tuple[npt.NDArray[np.float32], float]
"""The CMC (min(max_rank, G),) and the mAP, in [0, 1]."""


def euclidean_squared_distance(input1: Tensor, input2: Tensor) -> Tensor:
    """(Q, D) and (G, D) -> squared Euclidean distances (Q, G)."""
    return compute_distance_matrix(input1, input2, "euclidean")


def cosine_distance(input1: Tensor, input2: Tensor) -> Tensor:
    """(Q, D) and (G, D) -> cosine distances (Q, G)."""
    return compute_distance_matrix(input1, input2, "cosine")


def eval_market1501(
    distmat: npt.ArrayLike | Tensor,
    q_pids: npt.ArrayLike,
    g_pids: npt.ArrayLike,
    q_camids: npt.ArrayLike,
    g_camids: npt.ArrayLike,
    max_rank: int,
) -> Found:
    """Evaluate distances (Q, G) by Market-1501's rule, as ``evaluate_rank`` does."""
    return evaluate_rank(distmat, q_pids, g_pids, q_camids, g_camids, max_rank)


def eval_cuhk03(
    distmat: npt.ArrayLike | Tensor,
    q_pids: npt.ArrayLike,
    g_pids: npt.ArrayLike,
    q_camids: npt.ArrayLike,
    g_camids: npt.ArrayLike,
    max_rank: int,
) -> Found:
    """Evaluate distances (Q, G) with one gallery image for each identity, in expectation."""
    return evaluate_py(distmat, q_pids, g_pids, q_camids, g_camids, max_rank, True)


def evaluate_py(
    distmat: npt.ArrayLike | Tensor,
    q_pids: npt.ArrayLike,
    g_pids: npt.ArrayLike,
    q_camids: npt.ArrayLike,
    g_camids: npt.ArrayLike,
    max_rank: int,
    use_metric_cuhk03: bool,
) -> Found:
    """Evaluate distances (Q, G) without the compiled kernel; the figures are the same."""
    return evaluate_rank(
        distmat, q_pids, g_pids, q_camids, g_camids, max_rank, use_metric_cuhk03, use_cython=False
    )
