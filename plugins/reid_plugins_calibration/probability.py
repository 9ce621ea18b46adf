"""From similarity to the probability of one identity: two curves, and which of them to take.

The logistic curve has two parameters (Platt, "Probabilistic Outputs for Support Vector Machines",
1999); the isotonic one is any that never falls (Zadrozny and Elkan, "Transforming classifier scores
into accurate multiclass probability estimates", KDD 2002). Which is better is told by the
likelihood of pairs whose identities neither was fitted to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.images import FOLDS, Codes
from reid_plugins_calibration.similarity_counts import centres
from reidcore.errors import DataError, quoted

Floats = npt.NDArray[np.float64]

_NONMATCH, _MATCH = 0, 1


class Curve(Protocol):
    """Log odds of a match by similarity, where matches and non-matches are equally frequent."""

    kind: str

    def log_odds(self, similarity: Floats) -> Floats:
        """Return the log odds of similarities of any shape."""

    def as_record(self) -> dict[str, Any]:
        """Return it in plain values."""


@dataclass(frozen=True)
class Logistic:
    """``slope * similarity + offset``.

    Attributes:
        slope: above 0 where a greater similarity speaks for a match.
        offset: the log odds of similarity 0.
        most: the greatest log odds, which the number of identities bounds.
    """

    slope: float
    offset: float
    most: float
    kind = "logistic"

    def log_odds(self, similarity: Floats) -> Floats:
        """Return the log odds of similarities of any shape."""
        return np.clip(self.slope * similarity + self.offset, -self.most, self.most)

    def as_record(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "kind": self.kind,
            "slope": self.slope,
            "offset": self.offset,
            "most_log_odds": self.most,
        }


@dataclass(frozen=True, eq=False)
class Isotonic:
    """Steps with slants between them.

    Attributes:
        similarity: (M,) ascending.
        odds: (M,) log odds there, which never fall.
    """

    similarity: Floats
    odds: Floats
    kind = "isotonic"

    def log_odds(self, similarity: Floats) -> Floats:
        """Return the log odds of similarities of any shape."""
        found: Floats = np.interp(similarity, self.similarity, self.odds)
        return found

    def as_record(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "kind": self.kind,
            "similarity": np.round(self.similarity, 6).tolist(),
            "log_odds": np.round(self.odds, 6).tolist(),
        }


def curve_from(record: Mapping[str, Any]) -> Curve:
    """Return the curve of a record.

    Raises:
        DataError: if it is of no kind that is known here.
    """
    kind = record.get("kind")
    if kind == Logistic.kind:
        return Logistic(*(float(record[key]) for key in ("slope", "offset", "most_log_odds")))
    if kind == Isotonic.kind:
        ends = (np.asarray(record[key], np.float64) for key in ("similarity", "log_odds"))
        return Isotonic(*ends)
    raise DataError(
        f"a calibration has the curve {quoted(kind)}",
        "Known are logistic and isotonic: calibrate again, or install a newer reidcore.",
    )


@dataclass(frozen=True)
class ChosenCurve:
    """A curve, and how likely held-out pairs are by either kind.

    Attributes:
        curve: the likelier one, fitted to all pairs.
        logistic: the logistic one, fitted to all pairs.
        held_out: kind -> mean log likelihood of a pair, in nats; matches and non-matches count the
            same. Empty where no fold has both.
    """

    curve: Curve
    logistic: Logistic
    held_out: Mapping[str, float]


def choose_curve(by_folds: Codes, identities: int) -> ChosenCurve:
    """Fit both curves, and take the one by which pairs of identities held out are likelier.

    Args:
        by_folds: (FOLDS, FOLDS, 2, COARSE) non-matches and matches, see `Spread`.
        identities: how many have matches; no answer is surer than their number permits.
    """
    likelihoods: dict[str, list[float]] = {}
    for seen, held_out in _folds(by_folds):
        for curve in _both(seen, identities):
            likelihoods.setdefault(curve.kind, []).append(_likelihood(curve, held_out))
    means = {kind: float(np.mean(values)) for kind, values in likelihoods.items()}
    logistic, isotonic = _both(by_folds.sum(axis=(0, 1)), identities)
    is_better = means and means[isotonic.kind] > means[logistic.kind]
    return ChosenCurve(isotonic if is_better else logistic, logistic, means)


def probability_of(log_odds: Floats, prior: float) -> Floats:
    """Return probabilities of a match, where a share ``prior`` of all pairs are matches."""
    shifted = log_odds + np.log(prior) - np.log1p(-prior)
    found: Floats = np.exp(-np.logaddexp(0, -shifted))
    return found


def _folds(by_folds: Codes) -> Iterator[tuple[Codes, Codes]]:
    """Yield the counts (2, COARSE) without a fold's identities, and of these alone."""
    for number in range(FOLDS):
        others = np.arange(FOLDS) != number
        seen, held_out = by_folds[others][:, others].sum(axis=(0, 1)), by_folds[number, number]
        if seen.sum(axis=1).all() and held_out.sum(axis=1).all():
            yield seen, held_out


def _both(counts: Codes, identities: int) -> tuple[Logistic, Isotonic]:
    least = 1 / (identities + 2)
    return _logistic(counts, least), _isotonic(counts, least)


def _weights(counts: Codes) -> Floats:
    """Return shares of the non-matches and of the matches, which sum to a half each."""
    shares: Floats = counts / counts.sum(axis=1, keepdims=True) / 2
    return shares


def _logistic(counts: Codes, least: float) -> Logistic:
    """Fit the curve to targets that are a little within 0 and 1, as Platt does."""
    from scipy.optimize import minimize

    weights, middles = _weights(counts), centres()
    near = np.array([[1 - least, least], [least, 1 - least]]) @ weights  # (2, COARSE)
    held = near.any(axis=0)
    near, x = near[:, held], middles[held]
    middle, scale = float(np.average(x, weights=near.sum(axis=0))), max(float(x.std()), 1e-6)
    x = (x - middle) / scale

    def loss(params: Floats) -> tuple[float, Floats]:
        z = params[0] * x + params[1]
        value = near[_NONMATCH] @ np.logaddexp(0, z) + near[_MATCH] @ np.logaddexp(0, -z)
        slant = near.sum(axis=0) * probability_of(z, 0.5) - near[_MATCH]
        return float(value), np.array([slant @ x, slant.sum()])

    slope, offset = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    bound = float(np.log1p(-least) - np.log(least))
    return Logistic(float(slope / scale), float(offset - slope * middle / scale), bound)


def _isotonic(counts: Codes, least: float) -> Isotonic:
    from scipy.optimize import isotonic_regression

    weights, middles = _weights(counts), centres()
    held = np.flatnonzero(weights.any(axis=0))
    total = weights[:, held].sum(axis=0)
    fitted = isotonic_regression(weights[_MATCH, held] / total, weights=total)
    begins, ends = fitted.blocks[:-1], fitted.blocks[1:] - 1
    share = np.clip(fitted.x[begins], least, 1 - least)
    odds = np.log(share) - np.log1p(-share)
    # Each step from the middle of its first bin to that of its last; equal ones are one step.
    is_new = np.diff(odds, prepend=-np.inf) > 0
    is_last = np.append(is_new[1:], True)
    places = np.stack([begins[is_new], ends[is_last]], axis=1).ravel()
    return Isotonic(middles[held[places]], np.repeat(odds[is_new], 2))


def _likelihood(curve: Curve, counts: Codes) -> float:
    odds, weights = curve.log_odds(centres()), _weights(counts)
    surprise = weights[_MATCH] @ np.logaddexp(0, -odds)
    return -float(surprise + weights[_NONMATCH] @ np.logaddexp(0, odds))
