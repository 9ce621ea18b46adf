"""A calibration of some images: all that is measured, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from reid_plugins_calibration.answers import cuts_of
from reid_plugins_calibration.calibration import VERSION, Calibration
from reid_plugins_calibration.images import Items
from reid_plugins_calibration.intervals import LEVEL
from reid_plugins_calibration.probability import Logistic, choose_curve
from reid_plugins_calibration.similarity_counts import Advance, Spread
from reid_plugins_calibration.thresholds import Measured, measure, support_of
from reidcore.errors import DataError, UserError

RATES = (1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Wishes:
    """What is asked of a calibration.

    Attributes:
        rates: wanted false match rates.
        prior: the share of matches among the pairs that will be asked of.
        same: the false match rate at which the answer is ``same``; by default the second of those
            that the pairs support.
        different: the false non-match rate at which the answer is ``different``.
        by_cameras: whether pairs of cameras get thresholds of their own.
    """

    rates: Sequence[float] = RATES
    prior: float = 0.5
    same: float | None = None
    different: float = 0.05
    by_cameras: bool = True


def require_scipy() -> None:
    """Refuse to calibrate without scipy; a calibration is read and used without it.

    Raises:
        UserError: if it is not installed; says how to install it.
    """
    if find_spec("scipy") is None:
        raise UserError(
            "curves and intervals are fitted by the package scipy",
            'Run: pip install "reidcore[calibration]"',
        )


@dataclass(frozen=True, eq=False)
class Fitted:
    """A calibration, and the counts of pairs that it was made from."""

    calibration: Calibration
    spread: Spread


def passes(items: Items, wishes: Wishes) -> int:
    """Return how many images `calibrate` tells of as done, before it ends."""
    pairs = _camera_pairs(items) if wishes.by_cameras else []
    return 2 * (len(items) + sum(len(items.of_cameras(*pair)) for pair in pairs))


def calibrate(
    items: Items,
    wishes: Wishes,
    what: str = "the data",
    camera_names: Mapping[int, str] | None = None,
    advance: Advance = lambda images: None,
) -> Fitted:
    """Measure what the similarities of features mean.

    Args:
        items: the images.
        wishes: what is asked.
        what: what the images are called in messages.
        camera_names: what cameras are called; by their numbers if not given.
        advance: called with the number of images that are done, of `passes` times all.

    Raises:
        UserError: if scipy is not installed.
        DataError: if there are too few pairs, or matches are no more similar than others.
    """
    require_scipy()
    pooled = measure(items, wishes.rates, what, advance)
    if wishes.same is not None and (why := pooled.support.lacks_for(wishes.same)):
        raise DataError(
            f"{what} cannot tell where to answer 'same': {why}",
            "Give data of more identities, or ask for a higher rate: --same.",
        )
    if not pooled.thresholds:
        raise DataError(
            f"{what} supports none of the wanted rates: {'; '.join(pooled.refused)}",
            "Give data of more identities, or ask for a higher rate: --fmr.",
        )
    chosen = choose_curve(pooled.spread.by_folds, pooled.support.identities)
    _check_sense(chosen.logistic, what)
    same = wishes.same or pooled.thresholds[min(1, len(pooled.thresholds) - 1)].fmr
    cameras, without = _of_cameras(items, wishes, camera_names or {}, advance)
    record = {
        "version": VERSION,
        "data": what,
        "score": "cosine similarity",
        "feature_dim": items.features.shape[1],
        "level": LEVEL,
        "probability": {
            "prior": wishes.prior,
            "held_out_log_likelihood": dict(chosen.held_out),
            **chosen.curve.as_record(),
        },
        "thresholds": [each.as_record() for each in pooled.thresholds],
        "refused": list(pooled.refused),
        "answer": cuts_of(pooled.spread, same, wishes.different).as_record(),
        "cameras": cameras,
        "cameras_refused": without,
        "pairs": {
            "images": len(items),
            "cameras": len(np.unique(items.cameras)),
            "across_cameras": items.across,
            "tracks": items.tracks is not None,
            **asdict(pooled.support),
        },
    }
    return Fitted(Calibration.from_record(record), pooled.spread)


def _check_sense(logistic: Logistic, what: str) -> None:
    if logistic.slope <= 0:
        raise DataError(
            f"matches of {what} are no more similar than non-matches",
            "Look for identities that do not fit the images, or features of an untrained model.",
        )


def _camera_pairs(items: Items) -> list[tuple[int, int]]:
    """Return pairs of cameras, the lower first; none where there is only one pair in all."""
    cameras = np.unique(items.cameras).tolist()
    pairs = [
        (a, b)
        for place, a in enumerate(cameras)
        for b in cameras[place + (1 if items.across else 0) :]
    ]
    return pairs if len(pairs) > 1 else []


def _of_cameras(
    items: Items, wishes: Wishes, names: Mapping[int, str], advance: Advance
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return records of the pairs of cameras that have enough pairs, and of the others."""
    measured, refused = [], []
    for pair in _camera_pairs(items) if wishes.by_cameras else []:
        own = items.of_cameras(*pair)
        found = {
            "camids": list(pair),
            "names": [names.get(camid, str(camid)) for camid in pair],
            **asdict(support_of(own)),
        }
        try:
            here = measure(own, wishes.rates, "it", advance)
        except DataError as error:
            advance(2 * len(own))
            refused.append({**found, "why": error.what.partition(": ")[2]})
            continue
        if here.thresholds:
            measured.append({**found, **_thresholds(here)})
        else:
            refused.append({**found, "why": "; ".join(here.refused)})
    return measured, refused


def _thresholds(measured: Measured) -> dict[str, Any]:
    return {
        "thresholds": [each.as_record() for each in measured.thresholds],
        "refused": list(measured.refused),
    }
