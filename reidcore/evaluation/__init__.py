"""Ranking a gallery for each query and measuring how good the ranking is.

Exact CMC, mAP and mINP without a distance matrix and without sorting a gallery: see `ranking`.
"""

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.evaluation.classification import accuracy as accuracy
    from reidcore.evaluation.distances import Distances as Distances
    from reidcore.evaluation.distances import FeatureDistances as FeatureDistances
    from reidcore.evaluation.distances import MatrixDistances as MatrixDistances
    from reidcore.evaluation.distances import compute_distance_matrix as compute_distance_matrix
    from reidcore.evaluation.evaluating import evaluate as evaluate
    from reidcore.evaluation.evaluating import evaluate_features as evaluate_features
    from reidcore.evaluation.evaluating import evaluate_rank as evaluate_rank
    from reidcore.evaluation.kernel import kernel_in_use as kernel_in_use
    from reidcore.evaluation.labels import Labels as Labels
    from reidcore.evaluation.protocols import AnyCamera as AnyCamera
    from reidcore.evaluation.protocols import EvaluationProtocol as EvaluationProtocol
    from reidcore.evaluation.protocols import Market1501 as Market1501
    from reidcore.evaluation.protocols import any_camera as any_camera
    from reidcore.evaluation.protocols import market1501 as market1501
    from reidcore.evaluation.ranking import MatchRanks as MatchRanks
    from reidcore.evaluation.ranking import match_ranks as match_ranks
    from reidcore.evaluation.relations import Related as Related
    from reidcore.evaluation.relations import Relations as Relations
    from reidcore.evaluation.relations import SameIdentity as SameIdentity
    from reidcore.evaluation.report import table as table
    from reidcore.evaluation.report import text as text
    from reidcore.evaluation.reranking import RerankedDistances as RerankedDistances
    from reidcore.evaluation.reranking import re_ranking as re_ranking
    from reidcore.evaluation.result import RankingResult as RankingResult
    from reidcore.evaluation.single_shot import Cuhk03 as Cuhk03
    from reidcore.evaluation.single_shot import cuhk03 as cuhk03

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AnyCamera": "reidcore.evaluation.protocols:AnyCamera",
        "Cuhk03": "reidcore.evaluation.single_shot:Cuhk03",
        "Distances": "reidcore.evaluation.distances:Distances",
        "EvaluationProtocol": "reidcore.evaluation.protocols:EvaluationProtocol",
        "FeatureDistances": "reidcore.evaluation.distances:FeatureDistances",
        "Labels": "reidcore.evaluation.labels:Labels",
        "Market1501": "reidcore.evaluation.protocols:Market1501",
        "MatchRanks": "reidcore.evaluation.ranking:MatchRanks",
        "MatrixDistances": "reidcore.evaluation.distances:MatrixDistances",
        "RankingResult": "reidcore.evaluation.result:RankingResult",
        "Related": "reidcore.evaluation.relations:Related",
        "Relations": "reidcore.evaluation.relations:Relations",
        "RerankedDistances": "reidcore.evaluation.reranking:RerankedDistances",
        "SameIdentity": "reidcore.evaluation.relations:SameIdentity",
        "accuracy": "reidcore.evaluation.classification:accuracy",
        "any_camera": "reidcore.evaluation.protocols:any_camera",
        "compute_distance_matrix": "reidcore.evaluation.distances:compute_distance_matrix",
        "cuhk03": "reidcore.evaluation.single_shot:cuhk03",
        "evaluate": "reidcore.evaluation.evaluating:evaluate",
        "evaluate_features": "reidcore.evaluation.evaluating:evaluate_features",
        "evaluate_rank": "reidcore.evaluation.evaluating:evaluate_rank",
        "kernel_in_use": "reidcore.evaluation.kernel:kernel_in_use",
        "market1501": "reidcore.evaluation.protocols:market1501",
        "match_ranks": "reidcore.evaluation.ranking:match_ranks",
        "re_ranking": "reidcore.evaluation.reranking:re_ranking",
        "table": "reidcore.evaluation.report:table",
        "text": "reidcore.evaluation.report:text",
    },
)
