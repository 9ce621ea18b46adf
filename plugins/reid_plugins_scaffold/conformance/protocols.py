"""What a protocol does: figures that depend on distances and labels, and on nothing else."""

from __future__ import annotations

import json
import math
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_scaffold.conformance.base import FactoryConformance
from reid_plugins_scaffold.conformance.contract import Broken, NotApplicable, contract
from reidcore.errors import DataError, UserError
from reidcore.evaluation import Labels, MatrixDistances, NoMatchError, RankingResult, evaluate

Ints = npt.NDArray[np.int64]
PIDS, CAMERAS, SHOTS = 5, 3, 2


class ProtocolConformance(FactoryConformance):
    """Checks of protocols.

    A test of one that needs further columns gives them in ``columns``; without them, and where it
    refuses the checks' data for its own reasons, those that evaluate say nothing.
    """

    kind = "protocols"

    @contract(
        "evaluate gives a RankingResult: shares in [0, 1], a CMC that does not fall, arrays of one "
        "figure for each query.",
        "Return what super().evaluate(...) or reduce gives, or dataclasses.replace(result, ...).",
    )
    def test_it_gives_figures(self) -> None:
        """Shares, and an array a query."""
        query, gallery = _sides()
        result = self._evaluated(_noisy(query, gallery), query, gallery)
        if not isinstance(result, RankingResult):
            raise Broken(f"gave a {type(result).__name__}, where a RankingResult is wanted")
        shares = np.array([result.mAP, result.mINP, *result.cmc])
        if not ((shares >= 0) & (shares <= 1)).all() or (np.diff(result.cmc) < -1e-12).any():
            raise Broken(f"gave mAP {result.mAP}, mINP {result.mINP}, CMC {result.cmc.tolist()}")
        sizes = {len(result.ap), len(result.inp), len(result.first_rank)}
        if sizes != {len(query)}:
            raise Broken(f"gave figures of {sorted(sizes)} queries for {len(query)}")

    @contract(
        "Its own figures are numbers under names, or NaN for none.",
        "Put plain numbers into figures: float(value).",
    )
    def test_its_own_figures_are_numbers(self) -> None:
        """As tables, JSON and TensorBoard take them."""
        query, gallery = _sides()
        figures = self._evaluated(_noisy(query, gallery), query, gallery).figures
        for name, value in figures.items():
            fits = isinstance(name, str) and isinstance(value, Real)
            if not fits or isinstance(value, bool) or math.isinf(float(value)):
                raise Broken(f"has the figure {name!r}: {value!r}")

    @contract(
        "What it says of its figures is plain, and what each query adds to one has that mean.",
        "Return what JSON can hold from conditions(), and put (Q,) figures into per_query, NaN for "
        "a query without a part.",
    )
    def test_it_says_what_its_figures_are(self) -> None:
        """Conditions for the line below the table, contributions for intervals."""
        query, gallery = _sides()
        result = self._evaluated(_noisy(query, gallery), query, gallery)
        try:
            json.dumps(dict(result.conditions), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise Broken(f"has conditions that are no JSON: {error}") from error
        figures = result.summary() | result.further()
        for name, values in result.contributions().items():
            if np.shape(values) != (len(query),):
                raise Broken(f"has {name!r} of shape {np.shape(values)} for {len(query)} queries")
            if not math.isclose(np.nanmean(values), figures.get(name, math.nan), abs_tol=1e-9):
                raise Broken(f"has {name!r} of each query, whose mean is not the figure")

    @contract(
        "Where each query is nearest to its own identity, all shares are 1.",
        "Look at what is ignored, and at the side from which ranks are counted.",
    )
    def test_a_perfect_ranking_is_perfect(self) -> None:
        """Shares of 1."""
        query, gallery = _sides()
        result = self._evaluated(_apart(query, gallery), query, gallery)
        if not (math.isclose(result.mAP, 1) and math.isclose(result.cmc[0], 1)):
            raise Broken(f"gave mAP {result.mAP} and rank-1 {result.cmc[0]} for a perfect ranking")

    @contract(
        "The order of queries and gallery does not matter, nor how often it is asked; for one that "
        "draws and says so in conditions()['draws'], only the latter.",
        "Break no ties by position, and draw by a seed of your own, or take the expectation.",
    )
    def test_order_does_not_matter(self) -> None:
        """Sides in another order."""
        query, gallery = _sides()
        distances = _noisy(query, gallery)
        rng = np.random.default_rng(1)
        rows, columns = rng.permutation(len(query)), rng.permutation(len(gallery))
        found = self._evaluated(distances, query, gallery)
        for other in (
            self._evaluated(distances, query, gallery),
            self._evaluated(distances[rows][:, columns], query[rows], gallery[columns]),
        ):
            same = np.allclose(found.cmc, other.cmc) and math.isclose(found.mAP, other.mAP)
            if not same:
                raise Broken(f"gave mAP {found.mAP}, and {other.mAP} in another order")
            if self._draws(found):
                return

    @contract(
        "Where no query has a match in the gallery it raises a UserError, and divides by no zero.",
        "Raise reidcore.errors.DataError(what, hint), as reduce does.",
    )
    def test_no_match_at_all_is_told(self) -> None:
        """A gallery of strangers."""
        query, gallery = _sides()
        strangers = gallery + np.array([PIDS, 0])
        try:
            result = self._evaluated(_noisy(query, strangers), query, strangers)
        except UserError:
            return
        raise Broken(f"gave mAP {result.mAP} for a gallery of strangers")

    def columns(self, count: int) -> dict[str, npt.NDArray[Any]]:
        """Return further columns of so many images, such as ``clothes``; none by default."""
        return {}

    @staticmethod
    def _draws(result: RankingResult) -> bool:
        return "draws" in result.conditions

    def _evaluated(
        self, distances: npt.NDArray[np.float64], query: Ints, gallery: Ints
    ) -> RankingResult:
        labels = Labels(
            query[:, 0],
            gallery[:, 0],
            query[:, 1],
            gallery[:, 1],
            self.columns(len(query)),
            self.columns(len(gallery)),
        )
        protocol = self.component.make()
        lacking = set(getattr(protocol, "needs", ())) - set(self.columns(0))
        if lacking:
            raise NotApplicable(f"it needs the columns {', '.join(sorted(lacking))}: give columns")
        try:
            return evaluate(MatrixDistances(distances), labels, protocol=protocol)
        except NoMatchError:
            raise
        except DataError as error:
            raise NotApplicable(f"it is for other data: {error}") from error


def _sides() -> tuple[Ints, Ints]:
    """Return (Q, 2) and (G, 2): the identity and the camera of each image."""
    people = [(pid, camid) for pid in range(PIDS) for camid in range(CAMERAS)]
    return np.array(people), np.array(people * SHOTS)


def _apart(query: Ints, gallery: Ints) -> npt.NDArray[np.float64]:
    """Return distances (Q, G) by which nobody is mistaken."""
    apart: npt.NDArray[np.bool_] = query[:, None, 0] != gallery[None, :, 0]
    return apart.astype(np.float64)


def _noisy(query: Ints, gallery: Ints) -> npt.NDArray[np.float64]:
    """Return distances (Q, G) by which some are mistaken; no two are equal."""
    return _apart(query, gallery) + np.random.default_rng(0).random((len(query), len(gallery))) * 2
