"""Features of several images of one thing made one: multi-query search, and tracklets of frames."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_standard.protocols.choices import check_choice
from reidcore.evaluation import Distances, Labels, Market1501, Pooled, RankingResult

_log = logging.getLogger(f"reidcore.{__name__}")

Int64 = npt.NDArray[np.int64]

Pooling = Literal["avg", "max"]
_REDUCTIONS = {"avg": "mean", "max": "max"}
_WORDS = {"avg": "average", "max": "maximum"}

TRACK = "track"
"""The column that numbers tracks; less than 0 for an image of none."""


@dataclass(frozen=True, eq=False)
class Groups:
    """K groups of images, in the order of their first images.

    Args:
        members: (N,) the images of one group after another's.
        sizes: (K,) how many each group has.
    """

    members: Int64
    sizes: Int64

    @property
    def starts(self) -> Int64:
        """(K,) where the members of each group begin."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def first(self) -> Int64:
        """(K,) the first image of each group, ascending."""
        return self.members[self.starts]

    def pool(self, features: Tensor, pooling: Pooling) -> Tensor:
        """Make one feature of each group.

        Args:
            features: (N, D).
            pooling: ``avg`` or ``max``, of each dimension by itself.

        Returns:
            (K, D).
        """
        members, sizes = (
            torch.from_numpy(each).to(features.device) for each in (self.members, self.sizes)
        )
        return torch.segment_reduce(features[members], _REDUCTIONS[pooling], lengths=sizes)


def groups_of(*keys: npt.NDArray[Any]) -> Groups:
    """Group N images by what they have in common.

    Args:
        keys: arrays (N,) of numbers or texts, in all of which the images of a group agree.
    """
    numbered = [np.unique(key, return_inverse=True)[1].reshape(-1) for key in keys]
    _, first, group, sizes = np.unique(
        np.stack(numbered), axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    place = np.argsort(order)  # of each group among the first images
    return Groups(np.argsort(place[group.reshape(-1)], kind="stable"), sizes[order])


def tracklets_of(pids: Int64, camids: Int64, tracks: npt.NDArray[Any]) -> Groups:
    """Group N images by person, camera and track; one without a track stays by itself."""
    alone = np.zeros(len(pids), dtype=np.int64)
    if tracks.dtype.kind == "i":
        alone = np.where(tracks < 0, np.arange(1, len(pids) + 1), 0)
    return groups_of(pids, camids, tracks, alone)


class MultiQuery(Market1501):
    """The usual rule, with the images that one camera has of a person as one query.

    Market-1501's multi-query search (Zheng et al., "Scalable Person Re-identification: A
    Benchmark", ICCV 2015) pools all that the query's camera saw of its person. The query folder
    has one image of each; its reader gives those of the folder ``gt_bbox`` as queries with
    ``market1501.multi_query=true``. The gallery stays as it is.

    Args:
        pooling: ``avg`` or ``max``.
        normalize: whether all features are brought to length 1 first, as in
            github.com/layumi/Person_reID_baseline_pytorch.

    Raises:
        UnknownNameError: if there is no such pooling.
    """

    def __init__(self, pooling: Pooling = "avg", normalize: bool = True) -> None:
        self.pooling = check_choice("pooling", pooling, get_args(Pooling))
        self.normalize = normalize

    def pool(self, query: Tensor, gallery: Tensor, labels: Labels) -> Pooled:
        """Make one feature of the queries that show a person by a camera."""
        if self.normalize:
            query, gallery = F.normalize(query, dim=1), F.normalize(gallery, dim=1)
        groups = groups_of(labels.q_pids, labels.q_camids)
        if len(groups.sizes) == len(query):
            _log.warning("no camera has several queries of a person: this is single-query search")
        pooled = groups.pool(query, self.pooling)
        return Pooled(pooled, gallery, groups.first, np.arange(len(gallery)))

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        features = "unit features" if self.normalize else "features"
        pooled = f"{_WORDS[self.pooling]} of a camera's {features} of a person"
        return super().conditions() | {"query": pooled}


class Video(Market1501):
    """The usual rule on tracklets, whose features may be made here of those of their frames.

    A video model, and the engine by ``video.pooling_method``, give features of tracklets: their
    tables have a row for each, and nothing is left to do. Where each frame is a row, the column
    ``track`` tells the frames of a person by a camera apart; those of one track become one, and so
    do the labels. The authors of MARS (Zheng et al., "MARS: A Video Benchmark for Large-Scale
    Person Re-identification", ECCV 2016) take the maximum over all frames, and bring that to
    length 1 (``test.normalize_feature=true``).

    Args:
        pooling: ``avg`` or ``max`` over the frames of a track; the configuration's
            ``video.pooling_method``.

    Raises:
        UnknownNameError: if there is no such pooling.
    """

    def __init__(self, pooling: Pooling = "avg") -> None:
        self.pooling = check_choice("pooling", pooling, get_args(Pooling))

    def pool(self, query: Tensor, gallery: Tensor, labels: Labels) -> Pooled | None:
        """Make one feature of the frames of a track; None where no table tells tracks.

        Raises:
            UnknownNameError: if one side alone has the column ``track``.
        """
        if not _tells_tracks(labels):
            return None
        q_tracks, g_tracks = labels.column(TRACK)
        asked = tracklets_of(labels.q_pids, labels.q_camids, q_tracks)
        known = tracklets_of(labels.g_pids, labels.g_camids, g_tracks)
        return Pooled(
            asked.pool(query, self.pooling),
            known.pool(gallery, self.pooling),
            asked.first,
            known.first,
        )

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate tracklets, and say what they are; arguments and errors as in the base."""
        result = super().evaluate(distances, labels, max_rank, ties)
        pooled = f"rows of one track pooled ({_WORDS[self.pooling]})"
        unit = pooled if _tells_tracks(labels) else "rows of the tables"
        return replace(result, conditions={"tracklets": unit})


def _tells_tracks(labels: Labels) -> bool:
    return TRACK in labels.q_columns or TRACK in labels.g_columns
