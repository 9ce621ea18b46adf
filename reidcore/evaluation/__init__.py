"""Ranking a gallery for each query and measuring how good the ranking is.

Exact CMC, mAP and mINP without a distance matrix and without sorting a gallery: see `ranking`.
"""

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.evaluation.api import evaluate as evaluate
    from reidcore.evaluation.api import evaluate_features as evaluate_features
    from reidcore.evaluation.api import evaluate_rank as evaluate_rank
    from reidcore.evaluation.cuhk03 import Cuhk03 as Cuhk03
    from reidcore.evaluation.distances import Distances as Distances
    from reidcore.evaluation.distances import FeatureDistances as FeatureDistances
    from reidcore.evaluation.distances import MatrixDistances as MatrixDistances
    from reidcore.evaluation.distances import compute_distance_matrix as compute_distance_matrix
    from reidcore.evaluation.kernel import kernel_in_use as kernel_in_use
    from reidcore.evaluation.labels import Labels as Labels
    from reidcore.evaluation.matches import Related as Related
    from reidcore.evaluation.matches import Relations as Relations
    from reidcore.evaluation.matches import SameIdentity as SameIdentity
    from reidcore.evaluation.protocols import AnyCamera as AnyCamera
    from reidcore.evaluation.protocols import EvaluationProtocol as EvaluationProtocol
    from reidcore.evaluation.protocols import Market1501 as Market1501
    from reidcore.evaluation.ranking import MatchRanks as MatchRanks
    from reidcore.evaluation.ranking import match_ranks as match_ranks
    from reidcore.evaluation.report import table as table
    from reidcore.evaluation.report import text as text
    from reidcore.evaluation.reranking import RerankedDistances as RerankedDistances
    from reidcore.evaluation.reranking import re_ranking as re_ranking
    from reidcore.evaluation.result import RankingResult as RankingResult

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AnyCamera": "reidcore.evaluation.protocols:AnyCamera",
        "Cuhk03": "reidcore.evaluation.cuhk03:Cuhk03",
        "Distances": "reidcore.evaluation.distances:Distances",
        "EvaluationProtocol": "reidcore.evaluation.protocols:EvaluationProtocol",
        "FeatureDistances": "reidcore.evaluation.distances:FeatureDistances",
        "Labels": "reidcore.evaluation.labels:Labels",
        "Market1501": "reidcore.evaluation.protocols:Market1501",
        "MatchRanks": "reidcore.evaluation.ranking:MatchRanks",
        "MatrixDistances": "reidcore.evaluation.distances:MatrixDistances",
        "RankingResult": "reidcore.evaluation.result:RankingResult",
        "Related": "reidcore.evaluation.matches:Related",
        "Relations": "reidcore.evaluation.matches:Relations",
        "RerankedDistances": "reidcore.evaluation.reranking:RerankedDistances",
        "SameIdentity": "reidcore.evaluation.matches:SameIdentity",
        "compute_distance_matrix": "reidcore.evaluation.distances:compute_distance_matrix",
        "evaluate": "reidcore.evaluation.api:evaluate",
        "evaluate_features": "reidcore.evaluation.api:evaluate_features",
        "evaluate_rank": "reidcore.evaluation.api:evaluate_rank",
        "kernel_in_use": "reidcore.evaluation.kernel:kernel_in_use",
        "match_ranks": "reidcore.evaluation.ranking:match_ranks",
        "re_ranking": "reidcore.evaluation.reranking:re_ranking",
        "table": "reidcore.evaluation.report:table",
        "text": "reidcore.evaluation.report:text",
    },
)
