"""An evaluation of features from elsewhere, in the steps in which a run evaluates its own."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from reidcore.config import chosen_protocol, options_of
from reidcore.data import SampleTable
from reidcore.errors import UserError
from reidcore.evaluation import FeatureDistances, Labels, RerankedDistances, evaluate
from reidcore.registry import choose

if TYPE_CHECKING:
    from reid_plugins_standard.protocols import CameraResults

    from reid_plugins_runs.feature_files.query_gallery import GivenFeatures, Side
    from reidcore.config import Config
    from reidcore.data import Int64Array
    from reidcore.evaluation import Distances, EvaluationProtocol, RankingResult
    from reidcore.plugins import Plugins

USUAL, ANY_CAMERA = "market1501", "any_camera"
_FINGERPRINT = 12  # hexadecimal digits, as of a run's data


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What an evaluation found, and of what.

    Attributes:
        ranking: the figures.
        conditions: what they are, in plain values.
        labels: of the queries and gallery items that were ranked, or of their groups.
        tables: the same queries and gallery items, with their paths or, where the file has none,
            their numbers.
        distances: (Q, G), as they were ranked.
        protocol: the protocol.
    """

    ranking: RankingResult
    conditions: Mapping[str, Any]
    labels: Labels
    tables: tuple[SampleTable, SampleTable]
    distances: Distances
    protocol: EvaluationProtocol

    def by_camera(self) -> CameraResults:
        """Return the figures of each camera, and of each pair of cameras."""
        from reid_plugins_standard.protocols import camera_results

        protocol, depth = copy.copy(self.protocol), len(self.ranking.cmc)
        protocol.ap = self.conditions.get("ap", protocol.ap)
        ties = self.conditions["ties"]
        return camera_results(self.distances, self.labels, protocol, depth, ties, self.ranking)


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
    steps = config.settings["standard"].test_time
    if test.normalize_feature or test.dist_metric == "cosine" or "normalize" in map(_name, steps):
        given.require_directions()
    else:
        given.require_one_scale()
    sides = _in_groups(_as_sides(_with_cameras(given, name, has_cameras)), protocol)
    distances, done = _distances(sides, config, plugins)
    ranking = evaluate(
        distances,
        sides.labels,
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
        **({} if has_cameras else {"cameras": "unknown"}),
        **done,
        "data": _fingerprint(sides.tables),
    }
    return Evaluated(ranking, conditions, sides.labels, sides.tables, distances, protocol)


def _name(step: str | Mapping[str, Any]) -> str:
    return step if isinstance(step, str) else next(iter(step), "")


def _fingerprint(tables: tuple[SampleTable, SampleTable]) -> str:
    """Return a digest of paths and labels: that of a run's test on the same images."""
    text = "".join(table.fingerprint() for table in tables)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT]


class _Sides(NamedTuple):
    """Features (Q, D) and (G, D) with their labels and their tables."""

    query: Tensor
    gallery: Tensor
    labels: Labels
    tables: tuple[SampleTable, SampleTable]


def _as_sides(given: GivenFeatures) -> _Sides:
    """Return floating point features of at least 32 bits, and their labels.

    Raises:
        UserError: if a feature cannot be compared, or the two sides differ in D.
    """
    labels = given.labels()
    checked = FeatureDistances(given.query.features, given.gallery.features)
    wide = torch.promote_types(checked.query.dtype, checked.gallery.dtype)
    wide = torch.promote_types(wide, torch.float32)
    query = _table("query", given.query, labels.q_pids, labels.q_camids)
    gallery = _table("gallery", given.gallery, labels.g_pids, labels.g_camids)
    return _Sides(checked.query.to(wide), checked.gallery.to(wide), labels, (query, gallery))


def _table(name: str, side: Side, pids: Int64Array, camids: Int64Array) -> SampleTable:
    numbered = [f"{name}/{row}" for row in range(len(side))]
    paths = side.paths.tolist() if side.paths.all() else numbered
    return SampleTable.below("", paths, pids, camids)


def _in_groups(sides: _Sides, protocol: EvaluationProtocol) -> _Sides:
    """Return the groups that a protocol makes of images, such as tracklets."""
    groups = protocol.pool(sides.query, sides.gallery, sides.labels)
    if groups is None:
        return sides
    query, gallery = sides.tables
    rows = groups.query_rows, groups.gallery_rows
    tables = query.take(rows[0]), gallery.take(rows[1])
    return _Sides(groups.query, groups.gallery, sides.labels.take(*rows), tables)


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


def _distances(sides: _Sides, config: Config, plugins: Plugins) -> tuple[Distances, dict[str, Any]]:
    """Return the distances of the metric, which a plugin may know, and the steps before them."""
    test, (query, gallery, labels, _) = config.test, sides
    if test.normalize_feature:
        query, gallery = F.normalize(query, dim=1), F.normalize(gallery, dim=1)
    if steps := config.settings["standard"].test_time:
        return _after_steps(query, gallery, labels, steps, config, plugins)
    if test.rerank:
        query = gallery = torch.cat([query, gallery])
    distances: Distances = plugins.hook.reid_compute_distance(
        query=query, gallery=gallery, metric=test.dist_metric
    )
    return RerankedDistances(distances, len(sides.query)) if test.rerank else distances, {}


def _after_steps(
    query: Tensor, gallery: Tensor, labels: Labels, steps: Any, config: Config, plugins: Plugins
) -> tuple[Distances, dict[str, Any]]:
    """Return the distances after test-time steps, and what was done."""
    from reid_plugins_standard.test_time import apply_steps

    if config.test.rerank:
        raise UserError(
            "test.rerank stands beside test-time steps", "Write rerank as the last of the steps."
        )
    metric = config.test.dist_metric
    applied = apply_steps(query, gallery, labels, steps, metric, plugins=plugins)
    return applied.distances, {"test_time": applied.conditions}
