"""Steps that let the nearest images have a say: query expansion, augmentation, re-ranking.

None looks at labels, and none keeps anything of the size queries times gallery. Nearest is by
cosine; where several images are equally near, the first ones of the gallery are taken.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_standard.test_time.setting import Setting
from reidcore.errors import counted
from reidcore.evaluation import Distances, FeatureDistances, RerankedDistances, nearest_items

_log = logging.getLogger(f"reidcore.{__name__}")

Count = Annotated[int, Field(ge=1)]
Exponent = Annotated[float, Field(ge=0)]

_GATHERED = 1 << 22  # numbers of neighbours' features that are held together


class AverageQueryExpansion:
    """Replaces each query by the mean of itself and its nearest gallery images.

    Chum et al., "Total recall: automatic query expansion with a generative feature model for object
    retrieval" (ICCV 2007).

    Args:
        k: how many gallery images.
    """

    def __init__(self, k: Count = 5) -> None:
        self.k = k

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return expanded queries (Q, D), and the gallery as it is."""
        count = _found(self.k, len(gallery), "aqe")
        return _joined_by_neighbours(query, gallery, count, 0.0) / (count + 1), gallery


class AlphaQueryExpansion:
    """Adds to each query its nearest gallery images, weighed by a power of their cosines.

    Radenovic, Tolias and Chum, "Fine-tuning CNN image retrieval with no human annotation" (TPAMI
    2019): ``q + sum_i max(cos(q, g_i), 0) ** alpha * g_i``. The paper's features have length 1: let
    ``normalize`` stand before it.

    Args:
        k: how many gallery images.
        alpha: the power; 0 weighs all alike, as average query expansion does.
    """

    def __init__(self, k: Count = 10, alpha: Exponent = 3.0) -> None:
        self.k, self.alpha = k, alpha

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return expanded queries (Q, D), and the gallery as it is."""
        count = _found(self.k, len(gallery), "alpha_qe")
        return _joined_by_neighbours(query, gallery, count, self.alpha), gallery


class DatabaseAugmentation:
    """Adds to each gallery image its nearest ones of the gallery, weighed by their cosines.

    Turcot and Lowe, "Better matching with fewer features: the selection of useful features in large
    database recognition problems" (ICCV workshops 2009); Arandjelovic and Zisserman, "Three things
    everyone should know to improve object retrieval" (CVPR 2012).

    Args:
        k: how many other gallery images.
        alpha: the power of the cosines, see `AlphaQueryExpansion`; 0 gives the plain sum.
    """

    def __init__(self, k: Count = 10, alpha: Exponent = 0.0) -> None:
        self.k, self.alpha = k, alpha

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return the queries as they are, and the augmented gallery (G, D)."""
        count = _found(self.k, len(gallery) - 1, "dba", "other gallery image")
        return query, _joined_by_neighbours(gallery, gallery, count, self.alpha, is_own=True)


class KReciprocal:
    """Re-ranks by k-reciprocal neighbours; with its defaults what ``test.rerank`` does.

    Zhong et al., "Re-ranking person re-identification with k-reciprocal encoding" (CVPR 2017), with
    the numbers of Torchreid's implementation.

    Args:
        k1: how many nearest images may be reciprocal neighbours.
        k2: over how many nearest images neighbourhoods are averaged.
        lambda_value: the share of the old distance in the new one; ``lambda`` in settings.
    """

    def __init__(
        self,
        k1: Count = 20,
        k2: Count = 6,
        lambda_value: Annotated[float, Field(ge=0, le=1)] = 0.3,
    ) -> None:
        self.k1, self.k2, self.lambda_value = k1, k2, lambda_value

    def measure(
        self, distances: Callable[[Tensor, Tensor], Distances], query: Tensor, gallery: Tensor
    ) -> Distances:
        """Return re-ranked distances (Q, G), made a block of rows at a time.

        Raises:
            UserError: as of `RerankedDistances`, or features are all zeros under cosine.
        """
        everything = torch.cat([query, gallery])
        for name, count in (("k1", self.k1), ("k2", self.k2)):
            _found(count, len(everything), "rerank", "image", name)
        measured = distances(everything, everything)
        if isinstance(measured, FeatureDistances):
            measured.check_sides()
        return RerankedDistances(measured, len(query), self.k1, self.k2, self.lambda_value)


def _found(count: int, there: int, step: str, of: str = "gallery image", name: str = "k") -> int:
    """Return how many neighbours there are of those that a step asks for; tell where they are less.

    Args:
        count: how many it asks for.
        there: how many images there are to take.
        step: its name.
        of: what the images are called.
        name: of the option.
    """
    if count > there:
        _log.warning(
            "%s.%s is %d, and there are %s: all are taken", step, name, count, counted(there, of)
        )
    return min(count, there)


def _joined_by_neighbours(
    features: Tensor, gallery: Tensor, k: int, alpha: float, is_own: bool = False
) -> Tensor:
    """Return each feature plus its k nearest gallery features, weighed by a power of cosines.

    Args:
        features: (N, D).
        gallery: (G, D).
        k: how many, at most those that there are.
        alpha: the power.
        is_own: the features are the gallery's, and none is its own neighbour.
    """
    found, _ = nearest_items(FeatureDistances(features, gallery, "cosine"), k + is_own)
    columns = torch.from_numpy(found).to(features.device)
    joined = torch.empty_like(features)
    height = max(1, _GATHERED // (columns.size(1) * features.size(1)))
    for start in range(0, len(features), height):
        rows = slice(start, start + height)
        near = gallery[columns[rows]]  # (r, k, D)
        cosines = F.cosine_similarity(features[rows, None], near, dim=2, eps=1e-12)
        weights = cosines.clamp(min=0) ** alpha  # (r, k)
        if is_own:
            own = torch.arange(start, start + len(near), device=features.device)
            weights *= _others(columns[rows], own[:, None])
        joined[rows] = features[rows] + torch.einsum("rk,rkd->rd", weights, near)
    return joined


def _others(columns: Tensor, own: Tensor) -> Tensor:
    """Return a mask (r, k + 1) without each row's own item, or the last where it is missing.

    It may be missing where more than k others equal it.
    """
    mask = columns != own
    if columns.size(1) > 1:
        mask[:, -1] &= ~mask.all(1)
    return mask
