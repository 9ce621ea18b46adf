"""The answer of three: same, different, or undecided between two cuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.similarity_counts import BINS, Spread, edge

Answer = Literal["same", "different", "undecided"]


@dataclass(frozen=True)
class Cuts:
    """Where ``different`` ends and ``same`` begins.

    Attributes:
        different: pairs below this similarity are different.
        same: pairs of at least this similarity are the same.
        fmr: the false match rate at which the answer is ``same``.
        fnmr: the false non-match rate at which it is ``different``.
        undecided_matches: share of the matches in between.
        undecided_nonmatches: share of the non-matches in between.
    """

    different: float
    same: float
    fmr: float
    fnmr: float
    undecided_matches: float
    undecided_nonmatches: float

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Cuts:
        """Return what `as_record` gave."""
        return cls(**{name: float(record[name]) for name in cls.__dataclass_fields__})

    def as_record(self) -> dict[str, Any]:
        """Return it in plain values."""
        return asdict(self)

    def answer(self, similarity: npt.NDArray[np.floating]) -> npt.NDArray[np.str_]:
        """Return the answer for similarities of any shape; for NaN it is ``undecided``."""
        below: Answer = "different"
        found = np.where(similarity >= self.same, "same", "undecided")
        return np.where(similarity < self.different, below, found)


def cuts_of(spread: Spread, fmr: float, fnmr: float) -> Cuts:
    """Return the cuts for two wanted error rates.

    Where one cut meets both wishes nothing is undecided, and it is that of ``same``.

    Args:
        spread: the counts of pairs.
        fmr: the most of all non-matches whose answer may be ``same``.
        fnmr: the most of all matches whose answer may be ``different``.
    """
    same = min(spread.at_fmr(fmr), BINS - 1)
    different = min(spread.at_fnmr(fnmr), same)
    return Cuts(
        edge(different),
        edge(same),
        fmr,
        fnmr,
        spread.fnmr(same) - spread.fnmr(different),
        spread.fmr(different) - spread.fmr(same),
    )
