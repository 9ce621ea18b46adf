"""Ranking a gallery for each query and measuring how good the ranking is.

Exact CMC, mAP and mINP without a distance matrix and without sorting a gallery: see `ranking`.
"""

from __future__ import annotations

from reidcore.evaluation import bootstrap
from reidcore.evaluation.api import evaluate, evaluate_features, evaluate_rank
from reidcore.evaluation.cuhk03 import Cuhk03
from reidcore.evaluation.distances import (
    Distances,
    FeatureDistances,
    MatrixDistances,
    compute_distance_matrix,
)
from reidcore.evaluation.k_reciprocal import nearest_items
from reidcore.evaluation.kernel import kernel_in_use
from reidcore.evaluation.labels import Labels
from reidcore.evaluation.matches import (
    Related,
    Relations,
    SameIdentity,
    equal_pairs,
    without_own_files,
)
from reidcore.evaluation.protocols import (
    AnyCamera,
    EvaluationProtocol,
    Market1501,
    Pooled,
    check_shapes,
)
from reidcore.evaluation.ranking import MatchRanks, match_ranks
from reidcore.evaluation.report import (
    AVERAGE,
    averages,
    conditions_line,
    further_table,
    table,
    text,
)
from reidcore.evaluation.reranking import RerankedDistances, re_ranking
from reidcore.evaluation.result import NoMatchError, RankingResult, reduce_ranks

__all__ = [
    "AVERAGE",
    "AnyCamera",
    "Cuhk03",
    "Distances",
    "EvaluationProtocol",
    "FeatureDistances",
    "Labels",
    "Market1501",
    "MatchRanks",
    "MatrixDistances",
    "NoMatchError",
    "Pooled",
    "RankingResult",
    "Related",
    "Relations",
    "RerankedDistances",
    "SameIdentity",
    "averages",
    "bootstrap",
    "check_shapes",
    "compute_distance_matrix",
    "conditions_line",
    "equal_pairs",
    "evaluate",
    "evaluate_features",
    "evaluate_rank",
    "further_table",
    "kernel_in_use",
    "match_ranks",
    "nearest_items",
    "re_ranking",
    "reduce_ranks",
    "table",
    "text",
    "without_own_files",
]
