"""SYSU-MM01: people by infrared cameras, searched for among those by cameras of visible light."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.choices import check_choice, check_count
from reid_plugins_standard.protocols.hidden import (
    Hidden,
    HiddenIgnored,
    VisibleDistances,
    VisibleMatches,
)
from reid_plugins_standard.protocols.over_draws import (
    draw_of_each,
    evaluate_part,
    mean_over_draws,
)
from reid_plugins_standard.protocols.sysu_permutations import Permutations
from reidcore.errors import DataError
from reidcore.evaluation import (
    AnyCamera,
    Distances,
    EvaluationProtocol,
    Labels,
    RankingResult,
    Relations,
    check_shapes,
    match_ranks,
)

Int64 = npt.NDArray[np.int64]

# Cameras are counted from 0 here, from 1 by the authors, of whose cameras 2 and 3 share a room.
_ROOMS = np.array([0, 1, 1, 3, 4, 5])
_INFRARED = (2, 5)
_SEARCHES = {"all": (0, 1, 3, 4), "indoor": (0, 1)}


class SysuMM01(EvaluationProtocol):
    """A gallery drawn from each visible camera; what the query's room shows is ignored.

    The protocol of SYSU-MM01 (Wu et al., "RGB-Infrared Cross-Modality Person Re-identification",
    ICCV 2017), as the authors' code has it. The gallery has some images of each person by each
    visible camera, drawn anew in each trial. A query by their camera 3 ignores every image by their
    camera 2, whoever it shows: both stand in one room. The CMC counts persons, each by the nearest
    of its images; mAP and mINP are over images.

    A camid is the published camera less one, as the dataset ``sysu_mm01`` gives it.

    Args:
        search: ``"all"``: the gallery is of the cameras 1, 2, 4 and 5; ``"indoor"``: of 1 and 2.
        shots: images of each person by each camera; papers report 1 and 10.
        trials: how many galleries to average over.
        permutations: path of the authors' ``rand_perm_cam.mat``, which fixes ten trials; without it
            they are drawn by the seed.
        seed: what the draws depend on.

    Raises:
        UserError: if an option is out of its range.
    """

    def __init__(
        self,
        search: str = "all",
        shots: int = 1,
        trials: int = 10,
        permutations: str | os.PathLike[str] | None = None,
        seed: int = 0,
    ) -> None:
        self.search = check_choice("search", search, list(_SEARCHES))
        self.shots = check_count("shots", shots)
        self.trials = check_count("trials", trials)
        self.seed = check_count("seed", seed, least=0)
        self._permutations = None if permutations is None else Permutations(permutations, trials)

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity, and those of its room."""
        return HiddenIgnored(AnyCamera().relations(labels), _same_room(labels))

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        images = "1 image" if self.shots == 1 else f"{self.shots} images"
        return super().conditions() | {
            "junk": "own room",
            "search": self.search,
            "gallery": f"{images} of each person by each camera",
            "trials": "drawn" if self._permutations is None else "given permutations",
            "cmc": "persons",
        }

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base.

        Raises:
            DataError: also if a camera is none of the protocol's, or the permutations are of other
                images.
        """
        check_shapes(distances, labels)
        trials = [
            evaluate_part(
                self._trial, distances, labels, max_rank, ties, gallery=self._gallery(labels, trial)
            )
            for trial in range(self.trials)
        ]
        return mean_over_draws(trials, self.seed if self._permutations is None else None)

    def _gallery(self, labels: Labels, trial: int) -> Int64:
        """Return the gallery items of a trial, ascending.

        Raises:
            DataError: if there are none, or a camera is none of the protocol's.
        """
        _check_cameras(labels)
        searched = np.flatnonzero(np.isin(labels.g_camids, _SEARCHES[self.search]))
        if not len(searched):
            raise DataError(
                f"the gallery has no image by the cameras of the {self.search} search",
                "Choose sysu_mm01.search=all.",
            )
        groups = np.stack([labels.g_camids, labels.g_pids], axis=1)[searched]
        if self._permutations is None:
            return searched[draw_of_each(groups, self.shots, self.seed, trial)]
        number = labels.g_columns.get("picture", np.arange(len(labels.g_pids)))[searched]
        return searched[self._permutations.first(groups, number, self.shots, trial)]

    def _trial(
        self, distances: Distances, labels: Labels, max_rank: int, ties: str
    ) -> RankingResult:
        """Rank images by the rule, and count persons for the CMC."""
        hidden = _same_room(labels)
        visible = VisibleDistances(distances, hidden)
        relations = VisibleMatches(AnyCamera().relations(labels), hidden)
        result = self.reduce(match_ranks(visible, relations, ties), max_rank)
        first_rank = _person_ranks(visible, labels, ties) * (result.first_rank > 0)
        depth = len(result.cmc)
        hits = np.bincount(np.minimum(first_rank, depth + 1), minlength=depth + 2)
        return replace(
            result,
            first_rank=first_rank,
            cmc=np.cumsum(hits[1 : depth + 1]) / result.num_valid,
        )


def _same_room(labels: Labels) -> Hidden:
    _check_cameras(labels)
    q_rooms, g_rooms = _ROOMS[labels.q_camids], _ROOMS[labels.g_camids]
    return lambda start, stop: q_rooms[start:stop, None] == g_rooms


def _person_ranks(distances: Distances, labels: Labels, ties: str) -> Int64:
    """Return (Q,) the rank of each query's person among persons; of no meaning without a match."""
    persons, person = np.unique(labels.g_pids, return_inverse=True)
    order = np.argsort(person, kind="stable")
    begin = np.searchsorted(person[order], np.arange(len(persons)))
    mine = np.searchsorted(persons, labels.q_pids).clip(max=len(persons) - 1)
    ranks = [np.zeros(0, dtype=np.int64)]
    for start, block in distances.blocks():
        nearest = np.minimum.reduceat(block[:, order], begin, axis=1)  # (r, persons)
        own = np.take_along_axis(nearest, mine[start : start + len(block), None], axis=1)
        # A person is never ahead of itself, but as near.
        ahead = nearest < own if ties == "optimistic" else nearest <= own
        ranks.append(ahead.sum(1) + (ties == "optimistic"))
    return np.concatenate(ranks)


def _check_cameras(labels: Labels) -> None:
    for side, camids, allowed in (
        ("query", labels.q_camids, _INFRARED),
        ("gallery", labels.g_camids, _SEARCHES["all"]),
    ):
        others = np.setdiff1d(camids, allowed)
        if len(others):
            raise DataError(
                f"the {side} has images by the camera {others[0]}",
                f"SYSU-MM01's {side} is by the cameras {', '.join(map(str, allowed))}: camids are "
                "the published numbers less one.",
            )
