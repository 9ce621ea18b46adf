"""Tracks that are found again after a gap: what a tracker needs of features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.candidates import AmongCandidates, Candidates
from reid_plugins_standard.protocols.choices import check_count
from reidcore.errors import DataError
from reidcore.evaluation import Distances, Labels, RankingResult, equal_pairs

Int64 = npt.NDArray[np.int64]


class Reassociation(AmongCandidates):
    """Everybody at some frames is searched for among those who are there some frames later.

    As Roboflow's package ``reid`` (0.1.0rc1) defines it on multi-object tracking sequences: a
    query is an image whose frame is divisible by ``every``; its candidates are the images of the
    same sequence exactly ``gap`` frames later, if there are at least ``candidates``; the match has
    its identity. An image that asks for nobody who is there is skipped. Cameras have no say.

    Rank 1 and the mean reciprocal rank are reported; the latter is the figure ``MRR``, which is
    mAP where an identity is in a frame once.

    The tables need the columns ``sequence`` and ``frame``, a whole number. Query and gallery may
    both hold all images.

    Args:
        every: frames from one query frame to the next.
        gap: frames from a query to its candidates.
        candidates: fewer make no query.

    Raises:
        UserError: if one is no whole number, or less than 1.
    """

    needs: ClassVar[tuple[str, ...]] = ("sequence", "frame")

    def __init__(self, every: int = 60, gap: int = 30, candidates: int = 2) -> None:
        self.every = check_count("every", every)
        self.gap = check_count("gap", gap)
        self.least = check_count("candidates", candidates)

    def candidates(self, labels: Labels) -> Candidates:
        """Return the gallery items of each query's sequence, so many frames later."""
        asked, known = labels.column("sequence")
        _, sequence = np.unique(np.concatenate([asked, known]), return_inverse=True)
        q_frames, g_frames = (_frames(side) for side in labels.column("frame"))
        moments = np.stack([sequence.reshape(-1), np.concatenate([q_frames + self.gap, g_frames])])
        _, moment = np.unique(moments, axis=1, return_inverse=True)  # (2, Q + G) -> (Q + G,)
        queries, items = equal_pairs(*np.split(moment.reshape(-1), [len(asked)]))
        found = Candidates(queries, items, labels.q_pids[queries] == labels.g_pids[items])
        sizes = found.per_query(len(asked))
        chosen = (q_frames % self.every == 0) & (sizes >= self.least)
        return found.where(chosen[queries])

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate each query among its candidates; arguments and errors as in the base."""
        result = super().evaluate(distances, labels, max_rank, ties)
        reciprocal = np.where(result.valid, 1 / np.maximum(result.first_rank, 1), np.nan)
        return replace(
            result,
            figures={"MRR": float(np.nanmean(reciprocal))},
            per_query={"MRR": reciprocal},
        )

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {
            "query": f"frames divisible by {self.every}",
            "gallery": f"its sequence {self.gap} frames later, of {self.least} images or more",
            "junk": "none",
        }


def _frames(column: npt.NDArray[Any]) -> Int64:
    if column.dtype.kind not in "iu":
        raise DataError(
            f"the column 'frame' is {column.dtype}, no whole numbers", "Number frames from 0."
        )
    return column.astype(np.int64)
