"""The metrics under the names that Torchreid users import."""

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.engine.accuracy import accuracy as accuracy
    from reidcore.evaluation.api import evaluate_rank as evaluate_rank
    from reidcore.evaluation.distances import compute_distance_matrix as compute_distance_matrix

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "accuracy": "reidcore.engine.accuracy:accuracy",
        "compute_distance_matrix": "reidcore.evaluation.distances:compute_distance_matrix",
        "evaluate_rank": "reidcore.evaluation.api:evaluate_rank",
    },
)
