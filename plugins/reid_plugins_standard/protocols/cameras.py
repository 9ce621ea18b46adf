"""How well a query by one camera finds its matches by each other camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import UnknownNameError, did_you_mean, quoted
from reidcore.evaluation import (
    Distances,
    EvaluationProtocol,
    Labels,
    Market1501,
    MatchRanks,
    MatrixDistances,
    RankingResult,
    match_ranks,
    reduce_ranks,
    without_own_files,
)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraFigures:
    """What the queries of one camera found, in shares.

    Args:
        num_queries: how many queries the camera has.
        num_valid: how many of them have a match; the means are over these.
        mAP: mean average precision; NaN without a valid query.
        rank1: share of valid queries whose nearest item is a match; NaN likewise.
    """

    num_queries: int
    num_valid: int
    mAP: float
    rank1: float


@dataclass(frozen=True)
class CameraResults:
    """Figures of each query camera, and of each pair of query camera and gallery camera.

    Args:
        cameras: query camera -> what its queries found in the whole gallery.
        pairs: (query camera, gallery camera) -> what the one's queries found among the other's
            images alone.
    """

    cameras: Mapping[int, CameraFigures]
    pairs: Mapping[tuple[int, int], CameraFigures]

    def matrix(self, figure: str = "mAP") -> tuple[list[int], list[int], Float64]:
        """Return the query cameras, the gallery cameras, and (q, g) one figure of their pairs.

        Raises:
            UnknownNameError: if there is no such figure, naming the nearest one.
        """
        known = tuple(CameraFigures.__annotations__)
        if figure not in known:
            raise UnknownNameError(
                f"cameras have no figure {quoted(figure)}; there are {', '.join(known)}",
                did_you_mean(figure, known),
            )
        queries, galleries = (sorted({pair[side] for pair in self.pairs}) for side in (0, 1))
        cells = [[getattr(self.pairs[q, g], figure) for g in galleries] for q in queries]
        return queries, galleries, np.array(cells, dtype=np.float64)

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain types, ready for JSON; NaN becomes None."""
        return {
            "cameras": [
                {"query_camera": camera} | _plain(found) for camera, found in self.cameras.items()
            ],
            "pairs": [
                {"query_camera": query, "gallery_camera": gallery} | _plain(found)
                for (query, gallery), found in self.pairs.items()
            ],
        }


def camera_results(
    distances: Distances,
    labels: Labels,
    protocol: EvaluationProtocol | None = None,
    max_rank: int = 50,
    ties: str = "pessimistic",
    result: RankingResult | None = None,
) -> CameraResults:
    """Tell the figures of each query camera, and of each pair of cameras.

    The gallery of a pair is what the gallery camera saw; which of it matches and which is ignored
    is the protocol's rule. Draws of a protocol and what it measures beside have no part in pairs.

    Args:
        distances: of Q queries to G gallery items, gone through once for all pairs.
        labels: of the same queries and gallery items.
        protocol: Market1501's by default.
        max_rank: how far the CMC goes.
        ties: see `reidcore.evaluation.evaluate`.
        result: what the protocol found, where it is known already.

    Raises:
        UserError: if shapes differ, a distance is NaN, or no query has a match.
    """
    protocol = protocol or Market1501()
    if result is None:
        result = protocol.evaluate(distances, labels, max_rank, ties)
    rank1 = result.contributions([1]).get("rank1", np.full(len(labels.q_pids), np.nan))
    rank1 = rank1.clip(0, 1)  # over draws, some of which it missed, a query may add more than 1
    galleries = np.unique(labels.g_camids)
    ap, hits = _by_gallery_camera(distances, labels, protocol, ties, galleries)
    cameras, pairs = {}, {}
    for camera, rows in _cameras(labels.q_camids):
        cameras[camera] = _figures(result.ap[rows], rank1[rows])
        for place, gallery in enumerate(galleries.tolist()):
            pairs[camera, gallery] = _figures(ap[rows, place], hits[rows, place])
    return CameraResults(cameras, pairs)


def _by_gallery_camera(
    distances: Distances,
    labels: Labels,
    protocol: EvaluationProtocol,
    ties: str,
    cameras: Int64,
) -> tuple[Float64, Float64]:
    """Return (Q, cameras) the AP among each camera's images, and whether the first is a match."""
    ap, hits = np.full((2, len(labels.q_pids), len(cameras)), np.nan)
    columns = [np.flatnonzero(labels.g_camids == camera) for camera in cameras]
    for start, block in distances.blocks():
        rows = np.arange(start, start + len(block))
        for place, items in enumerate(columns):
            part = labels.take(rows, items)
            relations = without_own_files(protocol.relations(part), part)
            ranks = match_ranks(MatrixDistances(block[:, items]), relations, ties)
            ap[rows, place], hits[rows, place] = _of_queries(ranks, protocol)
    return ap, hits


def _of_queries(
    ranks: MatchRanks, protocol: EvaluationProtocol
) -> tuple[Float64 | float, Float64 | float]:
    if not len(ranks.ranks):
        return np.nan, np.nan
    found = reduce_ranks(ranks, ap=protocol.ap)
    return found.ap, np.where(found.valid, found.first_rank == 1, np.nan)


def _cameras(camids: Int64) -> Iterator[tuple[int, Int64]]:
    """Yield each camera with the rows of its queries."""
    for camera in np.unique(camids).tolist():
        yield camera, np.flatnonzero(camids == camera)


def _figures(ap: Float64, rank1: Float64) -> CameraFigures:
    valid = ~np.isnan(ap)
    if not valid.any():
        return CameraFigures(len(ap), 0, float("nan"), float("nan"))
    return CameraFigures(
        len(ap), int(valid.sum()), float(ap[valid].mean()), float(rank1[valid].mean())
    )


def _plain(found: CameraFigures) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in asdict(found).items()}
