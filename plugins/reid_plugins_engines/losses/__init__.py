"""The losses of the bundled engines, and the loss terms that a configuration weighs."""

from __future__ import annotations

from reid_plugins_engines.losses.branches import BranchWeighted, over_branches
from reid_plugins_engines.losses.center import BranchCenterLoss, CenterLoss, center_term
from reid_plugins_engines.losses.clothes_adversarial import (
    ClothesAdversarial,
    ClothesClassifier,
    clothes_adversarial_terms,
)
from reid_plugins_engines.losses.contrastive import ContrastiveLoss, contrastive_term
from reid_plugins_engines.losses.cosine_margins import (
    CirclePairLoss,
    CosFacePairLoss,
    circle_term,
    cosface_pairs_term,
)
from reid_plugins_engines.losses.cross_entropy import CrossEntropyLoss, softmax_term
from reid_plugins_engines.losses.deep_supervision import DeepSupervision
from reid_plugins_engines.losses.focal import FocalLoss, focal_term
from reid_plugins_engines.losses.instance import InstanceLoss, instance_term
from reid_plugins_engines.losses.multi_similarity import MultiSimilarityLoss, multi_similarity_term
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs
from reid_plugins_engines.losses.supcon import SupConLoss, supcon_term
from reid_plugins_engines.losses.triplet import TripletLoss, triplet_terms
from reid_plugins_engines.losses.weighted_triplet import WeightedTripletLoss, weighted_triplet_term

__all__ = [
    "BranchCenterLoss",
    "BranchWeighted",
    "CenterLoss",
    "CirclePairLoss",
    "ClothesAdversarial",
    "ClothesClassifier",
    "ContrastiveLoss",
    "CosFacePairLoss",
    "CrossEntropyLoss",
    "DeepSupervision",
    "FocalLoss",
    "InstanceLoss",
    "MultiSimilarityLoss",
    "PairLoss",
    "Pairs",
    "SupConLoss",
    "TripletLoss",
    "WeightedTripletLoss",
    "center_term",
    "circle_term",
    "clothes_adversarial_terms",
    "contrastive_term",
    "cosface_pairs_term",
    "focal_term",
    "instance_term",
    "multi_similarity_term",
    "over_branches",
    "softmax_term",
    "supcon_term",
    "triplet_terms",
    "weighted_triplet_term",
]
