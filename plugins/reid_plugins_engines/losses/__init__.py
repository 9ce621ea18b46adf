"""The losses of the bundled engines, and the loss terms that a configuration weighs."""

from __future__ import annotations

from reid_plugins_engines.losses.center import CenterLoss, center_term
from reid_plugins_engines.losses.cross_entropy import CrossEntropyLoss, softmax_term
from reid_plugins_engines.losses.deep_supervision import DeepSupervision
from reid_plugins_engines.losses.triplet import TripletLoss, triplet_terms

__all__ = [
    "CenterLoss",
    "CrossEntropyLoss",
    "DeepSupervision",
    "TripletLoss",
    "center_term",
    "softmax_term",
    "triplet_terms",
]
