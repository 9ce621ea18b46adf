"""An evaluation of features from elsewhere, in the steps in which a run evaluates its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_runs.per_query import PerQuery
from reidcore.config import chosen_protocol, options_of
from reidcore.errors import UserError
from reidcore.evaluation import FeatureDistances, Labels, RerankedDistances, evaluate
from reidcore.registry import choose

if TYPE_CHECKING:
    from reid_plugins_runs.feature_files.given import GivenFeatures
    from reidcore.config import Config
    from reidcore.evaluation import Distances, EvaluationProtocol, RankingResult
    from reidcore.plugins import Plugins

USUAL, ANY_CAMERA = "market1501", "any_camera"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What an evaluation found, and of what.

    Attributes:
        ranking: the figures.
        conditions: what they are, in plain values.
        labels: of the queries and gallery items that were ranked, or of their groups.
        paths: (Q,) those of the queries.
        distances: (Q, G), as they were ranked.
        protocol: the protocol.
    """

    ranking: RankingResult
    conditions: Mapping[str, Any]
    labels: Labels
    paths: npt.NDArray[np.str_]
    distances: Distances
    protocol: EvaluationProtocol

    def per_query(self, ranks: list[int]) -> PerQuery:
        """Return what was found for each query."""
        return PerQuery(
            self.labels.q_pids,
            self.labels.q_camids,
            self.paths,
            self.ranking.ap,
            self.ranking.inp,
            self.ranking.first_rank,
            self.ranking.contributions(ranks),
        )


def evaluate_given(
    given: GivenFeatures, config: Config, plugins: Plugins, has_cameras: bool = True
) -> Evaluated:
    """Evaluate features as the section ``test`` of a configuration says.

    Args:
        given: the features.
        config: a checked configuration.
        plugins: where the protocol is looked up.
        has_cameras: False lets no gallery item count as of its query's camera.

    Raises:
        UserError: if the features, the labels and the protocol do not fit together.
    """
    test, name = config.test, chosen_protocol(config, plugins) or USUAL
    options = options_of(config, "protocols", name, plugins)
    protocol: EvaluationProtocol = choose("protocols", name, options, plugins).make()
    given = _with_cameras(given, name, has_cameras)
    labels, paths = given.labels(), given.query.paths
    if test.normalize_feature or test.dist_metric == "cosine":
        given.require_directions()
    query, gallery = _as_tensors(given)
    if (groups := protocol.pool(query, gallery, labels)) is not None:
        query, gallery = groups.query, groups.gallery
        labels = labels.take(groups.query_rows, groups.gallery_rows)
        paths = paths[groups.query_rows]
    if test.normalize_feature:
        query, gallery = F.normalize(query, dim=1), F.normalize(gallery, dim=1)
    distances = _distances(query, gallery, config, plugins)
    ranking = evaluate(
        distances,
        labels,
        protocol,
        max_rank=max(test.max_rank, *test.ranks),
        ties=test.ties,
        ap=test.ap,
        ranks=test.ranks,
    )
    conditions = {
        "protocol": name,
        "metric": test.dist_metric,
        "normalized": test.normalize_feature,
        **ranking.conditions,
    }
    return Evaluated(ranking, conditions, labels, paths, distances, protocol)


def _with_cameras(given: GivenFeatures, protocol: str, has_cameras: bool) -> GivenFeatures:
    if has_cameras and given.has_cameras:
        return given
    if has_cameras and protocol != ANY_CAMERA:
        raise UserError(
            f"{str(given.path)!r} does not say which camera saw each item",
            "Add q_camids and g_camids, or in one table camid. Where there are none, "
            "--without-cameras takes no gallery item for one of its query's own camera.",
        )
    return given.without_cameras()


def _as_tensors(given: GivenFeatures) -> tuple[Tensor, Tensor]:
    """Return (Q, D) and (G, D) floating point features of at least 32 bits.

    Raises:
        UserError: if a feature cannot be compared, or the two sides differ in D.
    """
    sides = FeatureDistances(given.query.features, given.gallery.features)
    wide = torch.promote_types(sides.query.dtype, torch.float32)
    return sides.query.to(wide), sides.gallery.to(torch.promote_types(sides.gallery.dtype, wide))


def _distances(query: Tensor, gallery: Tensor, config: Config, plugins: Plugins) -> Distances:
    """Return the distances of the metric, which a plugin may know, re-ranked if that is wanted."""
    num_queries = len(query)
    if config.test.rerank:
        query = gallery = torch.cat([query, gallery])
    distances: Distances = plugins.hook.reid_compute_distance(
        query=query, gallery=gallery, metric=config.test.dist_metric
    )
    return RerankedDistances(distances, num_queries) if config.test.rerank else distances
