"""Vehicles, searched for among images, or among the tracks of other cameras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.beside import beside, unless_matchless
from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.groups import TRACK, Groups, groups_of
from reidcore.evaluation import Distances, Labels, Market1501, RankingResult

To = Literal["image", "track"]


class TrackDistances(Distances):
    """Distances of Q queries to T tracks: to the nearest image of each.

    Args:
        images: (Q, G) distances to the images.
        tracks: groups of them; an image of no group has no part.
    """

    def __init__(self, images: Distances, tracks: Groups) -> None:
        self._images, self._tracks = images, tracks

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, T)``."""
        return self._images.shape[0], len(self._tracks.sizes)

    def blocks(
        self, rows: int | None = None
    ) -> Iterator[tuple[int, npt.NDArray[np.floating[Any]]]]:
        """Yield blocks of rows, as those of the images come."""
        for start, block in self._images.blocks(rows):
            ordered = block[:, self._tracks.members]  # (r, images), track by track
            yield start, np.minimum.reduceat(ordered, self._tracks.starts, axis=1)


class Veri(Market1501):
    """VeRi-776: an image is searched for among images, or among tracks.

    Liu et al., "A Deep Learning-Based Approach to Progressive Vehicle Re-identification for Urban
    Surveillance" (ECCV 2016) search for tracks, the images that one camera has of one passing
    vehicle; the distance to a track is that to its nearest image. Others rank the images
    themselves. Either way what the query's camera has of the query's vehicle is ignored, and AP
    is the authors', ``trapezoid``. Papers report both: mAP and rank 1 of the other search are the
    figures ``track_mAP``, ``track_rank1`` or ``image_mAP``, ``image_rank1``.

    The gallery's column ``track`` tells tracks apart, -1 being an image of none, which no track
    search finds; without the column the images of a vehicle by a camera are one.

    Args:
        to: ``image`` or ``track``: what CMC, mAP and mINP are of.

    Raises:
        UnknownNameError: if it is neither.
    """

    ap = "trapezoid"

    def __init__(self, to: To = "image") -> None:
        self.to = check_choice("to", to, get_args(To))

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Search for images and for tracks; arguments and errors as in the base."""
        evaluate = super().evaluate

        def to_images() -> RankingResult:
            return evaluate(distances, labels, max_rank, ties)

        def to_tracks() -> RankingResult:
            tracks = _tracks(labels)
            found = labels.take(None, tracks.first)
            return evaluate(TrackDistances(distances, tracks), found, max_rank, ties)

        if self.to == "image":
            return beside(to_images(), {"track": unless_matchless(to_tracks)})
        return beside(to_tracks(), {"image": unless_matchless(to_images)})

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"gallery": f"{self.to}s"}


def _tracks(labels: Labels) -> Groups:
    """Return the tracks of the gallery."""
    if TRACK not in labels.g_columns:
        return groups_of(labels.g_pids, labels.g_camids)
    column = labels.g_columns[TRACK]
    in_tracks = np.flatnonzero(column >= 0) if column.dtype.kind == "i" else np.arange(len(column))
    groups = groups_of(*(each[in_tracks] for each in (labels.g_pids, labels.g_camids, column)))
    return Groups(in_tracks[groups.members], groups.sizes)
