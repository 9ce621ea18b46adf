"""The metrics under the names that Torchreid users import."""

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.evaluation.classification import accuracy as accuracy
    from reidcore.evaluation.distances import compute_distance_matrix as compute_distance_matrix
    from reidcore.evaluation.evaluating import evaluate_rank as evaluate_rank

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "accuracy": "reidcore.evaluation.classification:accuracy",
        "compute_distance_matrix": "reidcore.evaluation.distances:compute_distance_matrix",
        "evaluate_rank": "reidcore.evaluation.evaluating:evaluate_rank",
    },
)
