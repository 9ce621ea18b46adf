"""Discovery: sort images into identities, none of which is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.clusterings import (
    agreement,
    average_linkage,
    components,
    cut_at,
    cut_into,
)
from reidcore.errors import DataError, UserError, quoted
from reidcore.evaluation import (
    AnyCamera,
    Distances,
    FeatureDistances,
    Labels,
    RankingResult,
)

Int64 = npt.NDArray[np.int64]

_METHODS = ("average", "components")
_IMAGES = ("all", "query", "gallery")
_THRESHOLD, _TRUE_COUNT = "threshold", "true count"


class Discovery(AnyCamera):
    """Images are grouped by their distances, and the groups compared with identities.

    As the discovery of new animals in AnimalCLEF is judged, by the adjusted Rand index; see
    `reid_plugins_standard.protocols.clusterings.agreement` for the figures. Each is told for the
    ``clusters`` that the threshold makes (``ARI``, ...) and, by average linkage, some for as many
    groups as there are identities (``ARI (true count)``, ...), which nobody knows in earnest: the
    gap between both is what the threshold costs. ``identities`` is the true number.

    A file that is query and gallery item at once counts once, an image of a negative pid not at
    all. CMC, mAP and mINP are those of `AnyCamera`.

    Args:
        method: ``"average"``: average linkage, which takes 8 N^2 bytes for N images;
            ``"components"``: connected components of the pairs within the threshold.
        threshold: the distance up to which groups are joined, in the metric's own units (euclidean
            distances are squared); None for the true count alone.
        images: ``"all"``, those of the ``"query"``, or those of the ``"gallery"``.
        background: the pid of images of nobody in particular, which are left out, such as 0 for the
            distractors of Market-1501.

    Raises:
        UserError: if an option is out of its range, or ``components`` have no threshold.
    """

    def __init__(
        self,
        method: str = "average",
        threshold: float | None = None,
        images: str = "all",
        background: int | None = None,
    ) -> None:
        if threshold is not None and not threshold >= 0:
            raise UserError(f"the threshold is {quoted(threshold)}", "Give a distance from 0 on.")
        if method == "components" and threshold is None:
            raise UserError(
                "connected components need a threshold",
                "Give discovery.threshold, or take discovery.method=average.",
            )
        self.method = check_choice("method", method, _METHODS)
        self.images = check_choice("images", images, _IMAGES)
        self.threshold, self.background = threshold, background

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        told: dict[str, Any] = {"clustering": self.method, "images": self.images}
        if self.threshold is not None:
            told["threshold"] = self.threshold
        if self.background is not None:
            told["background"] = f"pid {self.background} left out"
        return super().conditions() | told

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base.

        Raises:
            DataError: also if the distances of all images to all are not to be had, or fewer than
                two images are left.
        """
        result = super().evaluate(distances, labels, max_rank, ties)
        everything, pids = _all_to_all(distances, labels, self.images)
        kept = np.flatnonzero((pids >= 0) & (pids != self.background))
        if len(kept) < 2:
            raise DataError(f"of {len(pids)} images {len(kept)} are of somebody, too few to group")
        everything, pids = everything.take(kept, kept), pids[kept]
        people = len(np.unique(pids))
        figures: dict[str, float] = {}
        for name, groups in self._groups(everything, people).items():
            figures |= _named(agreement(groups, pids), name)
        return replace(
            result,
            figures=figures | {"identities": float(people)},
            conditions={"clustered images": len(pids)},
        )

    def _groups(self, everything: Distances, people: int) -> dict[str, Int64]:
        """Return the groupings to be judged, by name."""
        if self.method == "components" and self.threshold is not None:
            return {_THRESHOLD: components(everything, self.threshold)}
        merges = average_linkage(everything)
        found = {} if self.threshold is None else {_THRESHOLD: cut_at(merges, self.threshold)}
        return found | {_TRUE_COUNT: cut_into(merges, people)}


def _named(figures: Mapping[str, float], grouping: str) -> dict[str, float]:
    """Name figures after their grouping; of the true count those that compare with others."""
    if grouping == _THRESHOLD:
        return dict(figures)
    return {f"{name} ({grouping})": figures[name] for name in ("ARI", "NMI", "false merges")}


def _all_to_all(distances: Distances, labels: Labels, images: str) -> tuple[Distances, Int64]:
    """Return (N, N) distances of the images of both sides or of one, and their (N,) pids."""
    if _is_one_set(distances, labels):
        return distances, labels.q_pids
    if not isinstance(distances, FeatureDistances):
        raise DataError(
            "clustering needs the distances of all images to all, and these are of queries to a "
            "gallery",
            "Give features (re-ranking off), or query and gallery as one set of images.",
        )
    features, pids = distances.gallery, labels.g_pids
    if images == "query":
        features, pids = distances.query, labels.q_pids
    if images == "all":
        others = np.arange(len(labels.q_pids))
        if labels.q_files is not None and labels.g_files is not None:
            others = np.flatnonzero(~np.isin(labels.q_files, labels.g_files))
        queries = distances.query[torch.from_numpy(others).to(distances.query.device)]
        features = torch.cat([queries, features])
        pids = np.concatenate([labels.q_pids[others], pids])
    return FeatureDistances(features, features, distances.metric), pids


def _is_one_set(distances: Distances, labels: Labels) -> bool:
    """Say whether query and gallery are the same images in the same order."""
    same = np.array_equal(labels.q_pids, labels.g_pids)
    if labels.q_files is not None and labels.g_files is not None:
        same = same and np.array_equal(labels.q_files, labels.g_files)
    else:
        same = same and np.array_equal(labels.q_camids, labels.g_camids)
    if isinstance(distances, FeatureDistances):
        return same and torch.equal(distances.query, distances.gallery)
    return same
