"""The metrics under the names that Torchreid users import."""

from __future__ import annotations

from reidcore.engine.accuracy import accuracy
from reidcore.evaluation import compute_distance_matrix, evaluate_rank

__all__ = ["accuracy", "compute_distance_matrix", "evaluate_rank"]
