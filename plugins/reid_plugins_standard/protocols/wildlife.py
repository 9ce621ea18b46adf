"""Wildlife: which known animal is it, or is it a new one?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.hidden import (
    Hidden,
    HiddenIgnored,
    VisibleDistances,
    VisibleMatches,
)
from reidcore.errors import DataError, UserError, counted, quoted
from reidcore.evaluation import (
    AnyCamera,
    Distances,
    Labels,
    RankingResult,
    Relations,
    check_shapes,
    match_ranks,
    without_own_files,
)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_SETTINGS = ("open", "closed", "disjoint", "time_aware")
_DATE = "date"


class Wildlife(AnyCamera):
    """Each query gets the identity of its nearest gallery item, or is called new.

    The figures of Cermak et al., "WildlifeDatasets: An Open-source Toolkit for Animal
    Re-identification", WACV 2024, and of the AnimalCLEF challenges. A query is known if the gallery
    has its identity. It is right if its nearest item shows it, one at the same distance that does
    not counting against it; an unknown query is right if it is called new.

    * ``accuracy known``; with a threshold also ``accuracy unknown``, ``accuracy`` over both, and
      ``normalised accuracy``: mu times the first plus 1 - mu times the second.
    * ``balanced accuracy``: the mean over identities, all new ones being one class. ``BAKS``: over
      the known identities; ``BAUS``: over the unknown ones, of the share called new.
    * ``AUC new``: the chance that an unknown query is farther from its nearest item than a known
      one.

    CMC, mAP and mINP are of the known queries.

    Args:
        setting: ``"open"``: queries may be unknown; ``"closed"``: one that is, is an error;
            ``"disjoint"``: query and gallery are one set of images, and whoever is seen but once
            has no part; ``"time_aware"``: as open, and gallery items of a query's day or a later
            one, by the column ``date``, are ignored. Which images are which is the dataset's split.
        threshold: a query farther from its nearest item is called new; None calls none new, and
            leaves out what needs that.
        mu: the weight of the known queries in the normalised accuracy.

    Raises:
        UserError: if an option is out of its range.
    """

    def __init__(
        self, setting: str = "open", threshold: float | None = None, mu: float = 0.5
    ) -> None:
        if threshold is not None and np.isnan(threshold):
            raise UserError("the threshold is NaN", "Give a distance.")
        if not 0 <= mu <= 1:
            raise UserError(f"mu is {quoted(mu)}", "Give a share from 0 to 1.")
        self.setting = check_choice("setting", setting, _SETTINGS)
        self.threshold, self.mu = threshold, mu
        if setting == "time_aware":
            self.needs = (_DATE,)  # type: ignore[misc] # an option decides

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity, and those that are not earlier."""
        same = super().relations(labels)
        if self.setting != "time_aware":
            return same
        return HiddenIgnored(same, _not_earlier(labels))

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        told: dict[str, Any] = {"setting": self.setting}
        if self.setting == "time_aware":
            told["junk"] = "of the same day or later"
        if self.threshold is not None:
            told |= {"threshold": self.threshold, "mu": self.mu}
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
            DataError: also if a query of a closed set is unknown, a date is missing, or nothing
                tells which image of a disjoint set is which.
        """
        check_shapes(distances, labels)
        if self.setting == "disjoint" and (labels.q_files is None or labels.g_files is None):
            labels = _one_set(labels)
        relations = without_own_files(super().relations(labels), labels)
        if self.setting == "time_aware":
            hidden = _not_earlier(labels)
            distances = VisibleDistances(distances, hidden)
            relations = VisibleMatches(relations, hidden)
            result = self.reduce(match_ranks(distances, relations, ties), max_rank)
        else:
            result = super().evaluate(distances, labels, max_rank, ties)
        known = result.first_rank > 0
        taking_part = self._taking_part(known)
        decided = _Decisions(
            labels.q_pids,
            taking_part & known,
            taking_part & ~known,
            result.first_rank == 1,
            _nearest(distances, relations),
            self.threshold,
        )
        each = decided.each(self.mu)
        figures = {name: float(np.nanmean(values)) for name, values in each.items()}
        return replace(
            result,
            figures=figures | decided.auc(strict=ties == "pessimistic"),
            per_query=each,
            conditions={"unknown queries": int((taking_part & ~known).sum())},
        )

    def _taking_part(self, known: Bool) -> Bool:
        """Return (Q,) which queries are judged."""
        if self.setting == "closed" and not known.all():
            raise DataError(
                f"{counted(int((~known).sum()), 'query', 'queries')} of {len(known)} show an "
                "animal that the gallery lacks",
                "That is an open set: wildlife.setting=open.",
            )
        return known if self.setting == "disjoint" else np.ones_like(known)


class _Decisions:
    """Who is taken for whom, and how often that is right.

    Args:
        pids: (Q,) the identities of the queries.
        known: (Q,) whether a query is judged, and the gallery has its identity.
        unknown: (Q,) whether it is judged, and the gallery has not.
        named: (Q,) whether the nearest item shows the query's identity.
        nearest: (Q,) how far it is.
        threshold: beyond which a query is called new; None calls none so.
    """

    def __init__(
        self,
        pids: Int64,
        known: Bool,
        unknown: Bool,
        named: Bool,
        nearest: Float64,
        threshold: float | None,
    ) -> None:
        self._pids = pids
        self._known, self._unknown = known, unknown
        self._nearest, self._threshold = nearest, threshold
        new = np.zeros(len(pids), dtype=np.bool_) if threshold is None else nearest > threshold
        self._right = np.where(known, named & ~new, new)

    def each(self, mu: float) -> dict[str, Float64]:
        """Return for each figure (Q,) what the queries add to it: its mean without NaN."""
        known, unknown = self._known, self._unknown
        found = {"accuracy known": self._mean(known), "BAKS": self._balanced(known, self._pids)}
        if self._threshold is None and unknown.any():
            return found
        both = known | unknown
        classes = np.where(unknown, self._pids.min() - 1, self._pids)
        found["accuracy"] = self._mean(both)
        found["balanced accuracy"] = self._balanced(both, classes)
        if unknown.any():
            found["accuracy unknown"] = self._mean(unknown)
            found["BAUS"] = self._balanced(unknown, self._pids)
            found["normalised accuracy"] = self._normalised(mu)
        return found

    def auc(self, strict: bool) -> dict[str, float]:
        """Return the area under the ROC curve of "new", where there are unknown queries.

        Args:
            strict: a known and an unknown query that are as far are told apart wrongly; else right.
        """
        if not self._unknown.any():
            return {}
        known = np.sort(self._nearest[self._known])
        side: Any = "left" if strict else "right"
        nearer = np.searchsorted(known, self._nearest[self._unknown], side)
        return {"AUC new": float(nearer.mean() / len(known))}

    def _mean(self, chosen: Bool) -> Float64:
        return np.where(chosen, self._right, np.nan)

    def _balanced(self, chosen: Bool, classes: Int64) -> Float64:
        """Give each class the same weight, whoever is seen often."""
        _, of_class, sizes = np.unique(classes[chosen], return_inverse=True, return_counts=True)
        return self._weighed(chosen, 1 / (len(sizes) * sizes[of_class]))

    def _normalised(self, mu: float) -> Float64:
        chosen = self._known | self._unknown
        known = self._known[chosen]
        return self._weighed(chosen, np.where(known, mu / known.sum(), (1 - mu) / (~known).sum()))

    def _weighed(self, chosen: Bool, weights: Float64) -> Float64:
        """Return (Q,) values whose plain mean is a weighted one, and varies as that does.

        Args:
            chosen: (Q,) the queries that have a part.
            weights: one for each of these, of the sum 1.
        """
        right = self._right[chosen].astype(np.float64)
        mean = float(right @ weights)
        whole = np.full(len(chosen), np.nan)
        whole[chosen] = mean + (right - mean) * weights * len(right)
        return whole


def _one_set(labels: Labels) -> Labels:
    """Return labels of one set of images by which no image finds itself.

    Raises:
        DataError: if both sides are not of the same animals in the same order.
    """
    if not np.array_equal(labels.q_pids, labels.g_pids):
        raise DataError(
            "query and gallery of a disjoint set are the same images, and these differ",
            "Give all images on both sides in one order, or their paths; or choose another "
            "wildlife.setting.",
        )
    pids, camids = (labels.q_pids, labels.g_pids), (labels.q_camids, labels.g_camids)
    images = np.arange(len(labels.q_pids))
    return Labels(*pids, *camids, labels.q_columns, labels.g_columns, images, images)


def _not_earlier(labels: Labels) -> Hidden:
    """Hide what is of the query's day or a later one.

    Raises:
        DataError: if a date is missing.
    """
    q_dates, g_dates = map(_days, labels.column(_DATE))
    for side, dates in (("query", q_dates), ("gallery", g_dates)):
        missing = dates == "" if dates.dtype.kind == "U" else ~(dates >= 0)
        if missing.any():
            raise DataError(
                f"{counted(int(missing.sum()), f'{side} image')} of {len(dates)} have no date",
                "Leave them out of the table, or choose wildlife.setting=open.",
            )
    return lambda start, stop: g_dates >= q_dates[start:stop, None]


def _days(dates: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the day of dates such as 2015-06-30 12:00; numbers are as they are."""
    return dates.astype("U10") if dates.dtype.kind in "UO" else dates


def _nearest(distances: Distances, relations: Relations) -> Float64:
    """Return (Q,) the distance of each query's nearest item that it does not ignore."""
    nearest = [np.zeros(0)]
    for start, block in distances.blocks():
        related = relations.rows(start, start + len(block))
        ignored = ~related.match
        rows = block.astype(np.float64)
        rows[related.owner[ignored], related.items[ignored]] = np.inf
        nearest.append(rows.min(1))
    return np.concatenate(nearest)
