"""Verification: do two images show one identity?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.pair_counts import PairCounts, count_pairs
from reidcore.errors import DataError
from reidcore.evaluation import (
    AnyCamera,
    Distances,
    EvaluationProtocol,
    Labels,
    Market1501,
    RankingResult,
    Relations,
)

_RULES = {"other": Market1501, "any": AnyCamera}
_RATES = {
    "1e-4": 10_000,
    "1e-3": 1_000,
    "1e-2": 100,
    "1e-1": 10,
}  # of false matches: one of so many


class Verification(EvaluationProtocol):
    """Every pair of a query and a gallery item is accepted or not, by one threshold for all.

    The figures beside the ranking's: ``TPR@FPR=r``, the share of the pairs of one identity that are
    accepted at the largest threshold that accepts no more than a share r of the pairs of two;
    ``FNMR@FMR=r``, 1 less that, as biometrics calls it (ISO/IEC 19795-1); ``EER``, the rate that
    neither error exceeds at the best threshold; ``AUC``, the area under the ROC curve. The positive
    class is "same identity". All are exact. A pair weighs the same whichever query it is of; an
    interval draws identities of queries, and holds the threshold fixed.

    Args:
        cameras: ``"other"``: pairs of one identity by one camera are left out, as in ranking;
            ``"any"``: they count.

    Raises:
        UnknownNameError: if ``cameras`` is neither.
    """

    def __init__(self, cameras: str = "other") -> None:
        self._rule = _RULES[check_choice("cameras", cameras, list(_RULES))]()

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity."""
        return self._rule.relations(labels)

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        junk = self._rule.conditions()["junk"]
        return super().conditions() | {"junk": junk, "positive": "pairs of one identity"}

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base.

        Raises:
            DataError: also if there is no pair of two identities.
        """
        result = super().evaluate(distances, labels, max_rank, ties)
        counts = count_pairs(distances, labels, self, ties)
        if not counts.different:
            raise DataError(
                "no pair of a query and a gallery item is of two identities",
                "Verification needs several identities in the gallery.",
            )
        told = {"AUC": 1 - counts.within / counts.different, **_at_rates(counts)}
        return replace(
            result,
            figures={"EER": counts.eer()}
            | {name: float(each.mean()) for name, each in told.items()},
            per_query={name: counts.of_queries(each) for name, each in told.items()},
            conditions={"pairs": len(counts.same), "pairs of two identities": counts.different},
        )


def _at_rates(counts: PairCounts) -> dict[str, Any]:
    """Return, for each figure at a rate, (P,) what each pair of one identity adds to it."""
    found = {}
    for rate, per in _RATES.items():
        accepted = np.zeros(len(counts.same))
        accepted[counts.accepted(per)] = 1
        found[rate] = accepted
    return {f"TPR@FPR={rate}": accepted for rate, accepted in found.items()} | {
        f"FNMR@FMR={rate}": 1 - accepted for rate, accepted in found.items()
    }
