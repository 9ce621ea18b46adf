"""Galleries with one image of each identity, drawn at random: PRCC and VehicleID."""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.over_draws import (
    check_draws,
    draw_of_each,
    evaluate_part,
    mean_over_draws,
)
from reidcore.errors import DataError
from reidcore.evaluation import Distances, Labels, Market1501, RankingResult, equal_pairs

_log = logging.getLogger(f"reidcore.{__name__}")

Int64 = npt.NDArray[np.int64]
Part = tuple[Int64 | None, Int64]
"""The queries, None for all, and the gallery items that a draw takes."""


class Drawn(Market1501):
    """The usual rule on random parts of the test set, averaged.

    Args:
        draws: how many there are.
        seed: what they are made of; the same draws come of it on every machine.

    Raises:
        UserError: if there is no draw, or the seed is negative.
    """

    def __init__(self, draws: int = 10, seed: int = 0) -> None:
        check_draws(draws, seed)
        self.draws, self.seed = draws, seed

    @abstractmethod
    def part(self, labels: Labels, draw: int) -> Part:
        """Return what a draw, counted from 0, takes."""

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate each draw, and average; arguments and errors as in the base."""
        parts = [self.part(labels, draw) for draw in range(self.draws)]
        if self.draws > 1 and len(parts[0][1]) == labels.shape[1]:
            _log.warning("the gallery is drawn already: that is one draw, not %d", self.draws)
            parts = parts[:1]
        evaluate = super().evaluate
        results = [
            evaluate_part(evaluate, distances, labels, max_rank, ties, *part) for part in parts
        ]
        return mean_over_draws(results, self.seed)


class Prcc(Drawn):
    """PRCC, among all gallery images or among one of each person.

    Yang et al., "Person Re-identification by Contour Sketch under Moderate Clothing Change" (TPAMI
    2021) draw one image of camera A of each person, ten times, and average the CMC. Gu et al.
    ("Clothes-Changing Person Re-identification with RGB Modality Only", CVPR 2022) and those who
    use their code rank all images of camera A. Which queries are asked, of the same or of other
    clothes, is the dataset's ``prcc.query``.

    Args:
        gallery: ``one`` of each person, or ``all``.
        draws: how many draws of one.
        seed: what they are made of.

    Raises:
        UserError: if there is no such gallery, no draw, or the seed is negative.
    """

    def __init__(
        self, gallery: Literal["one", "all"] = "one", draws: int = 10, seed: int = 0
    ) -> None:
        super().__init__(draws, seed)
        self.gallery = check_choice("gallery", gallery, ("one", "all"))

    def part(self, labels: Labels, draw: int) -> Part:
        """Return all queries, and one gallery image of each person."""
        return None, draw_of_each(labels.g_pids, 1, self.seed, draw)

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate each draw and average, or once; arguments and errors as in the base."""
        if self.gallery == "one":
            return super().evaluate(distances, labels, max_rank, ties)
        return Market1501.evaluate(self, distances, labels, max_rank, ties)

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        gallery = {"one": "one image of each identity", "all": "all images"}[self.gallery]
        return super().conditions() | {"gallery": gallery}


class VehicleId(Drawn):
    """VehicleID: one image of each vehicle is searched in, all others are searched for.

    Liu et al., "Deep Relative Distance Learning: Tell the Difference Between Similar Vehicles"
    (CVPR 2016), whose ten draws are averaged. Some papers turn it round, and search for one image
    of each vehicle among the rest: say which. The dataset is read with
    ``vehicleid.draw=protocol``, as whose query and gallery all test images count; a drawn image
    is on one side alone. There are no cameras: each image counts as seen by its own.

    Args:
        gallery: ``one`` image of each vehicle, or the ``rest``.
        draws: how many draws are averaged.
        seed: what they are made of.

    Raises:
        UserError: if there is no such gallery, no draw, or the seed is negative.
    """

    def __init__(
        self, gallery: Literal["one", "rest"] = "one", draws: int = 10, seed: int = 0
    ) -> None:
        super().__init__(draws, seed)
        self.gallery = check_choice("gallery", gallery, ("one", "rest"))

    def part(self, labels: Labels, draw: int) -> Part:
        """Return the images that are searched for, and those that are searched in."""
        if self.gallery == "one":
            # What is drawn from the gallery has no other image there: as a query it is skipped.
            return None, draw_of_each(labels.g_pids, 1, self.seed, draw)
        asked = draw_of_each(labels.q_pids, 1, self.seed, draw)
        queries, items = _same_images(labels)
        return asked, np.setdiff1d(np.arange(labels.shape[1]), items[np.isin(queries, asked)])

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        gallery = {"one": "one image of each identity", "rest": "all but one of each identity"}
        return super().conditions() | {"gallery": gallery[self.gallery]}


def _same_images(labels: Labels) -> tuple[Int64, Int64]:
    """Return the queries that are in the gallery too, and where: by files, else by labels.

    Raises:
        DataError: if there is none.
    """
    if labels.q_files is not None and labels.g_files is not None:
        found = equal_pairs(labels.q_files, labels.g_files)
    else:
        q_count = labels.shape[0]
        pids = np.concatenate([labels.q_pids, labels.g_pids])
        camids = np.concatenate([labels.q_camids, labels.g_camids])
        _, image = np.unique(np.stack([pids, camids]), axis=1, return_inverse=True)
        image = image.reshape(-1)  # (Q + G,)
        found = equal_pairs(image[:q_count], image[q_count:])
    if not len(found[0]):
        raise DataError(
            "no image is query and gallery item at once: the sides are drawn already",
            "Read all images as both, by vehicleid.draw=protocol.",
        )
    return found
