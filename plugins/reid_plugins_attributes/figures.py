"""How well attributes are recognised: mA by label; accuracy, precision, recall and F1 by image.

The definitions are those of Li et al., "A Richly Annotated Pedestrian Dataset for Person Retrieval
in Real Surveillance Scenarios", IEEE TIP 2019. What is unknown takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_plugins_attributes.questions import Answers
from reidcore.errors import DataError
from reidcore.evaluation import bootstrap

Float64 = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AttributeFigures:
    """The figures of N images and A attributes, from 0 to 1; NaN where nothing can be said.

    Attributes:
        recall_of_yes: (A,) share of images with an attribute that were said to have it.
        recall_of_no: (A,) share of images without it that were said to have it not.
        accuracy: mean over images of the attributes in both over those in either.
        precision: mean over images of the attributes in both over those that were said.
        recall: mean over images of the attributes in both over those that are true.
        contributions: figure -> (N,) numbers whose mean is the figure, and whose spread is its own
            to first order; NaN for images that take no part.
    """

    recall_of_yes: Float64
    recall_of_no: Float64
    accuracy: float
    precision: float
    recall: float
    contributions: dict[str, Float64]

    @property
    def mean_accuracy(self) -> float:
        """The mean over attributes of the means of both recalls: mA."""
        return _mean((self.recall_of_yes + self.recall_of_no) / 2)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def by_name(self) -> dict[str, float]:
        """Return the five figures."""
        return {
            "mA": self.mean_accuracy,
            "accuracy": self.accuracy,
            "precision": self.precision,
            "recall": self.recall,
            "F1": self.f1,
        }

    def intervals(self, groups: Groups) -> dict[str, tuple[float, float]]:
        """Return 95 % intervals of the five figures, over identities drawn anew.

        mA and F1 are no means over images: of them the first-order contributions are drawn, as in
        the infinitesimal jackknife (Davison and Hinkley, "Bootstrap Methods and their Application",
        1997, chapter 2).

        Args:
            groups: (N,) the identity of each image.
        """
        return bootstrap.intervals(self.contributions, groups, shares=self.contributions)


def attribute_figures(said: npt.NDArray[np.bool_], answers: Answers) -> AttributeFigures:
    """Compare what was said of N images with what is true.

    An image without any true attribute has no accuracy, precision and recall, as in the published
    evaluation; one of which nothing was said has a precision of 0. An attribute that all images
    have, or none, has no part in mA.

    Args:
        said: (N, A).
        answers: (N, A).

    Raises:
        DataError: if their shapes differ.
    """
    if said.shape != answers.shape:
        raise DataError(f"answers are {answers.shape}, and what was said is {said.shape}")
    yes, no = answers == 1, answers == 0
    recall_of_yes, by_yes = _share(said, yes)
    recall_of_no, by_no = _share(~said, no)
    balanced = (recall_of_yes + recall_of_no) / 2
    counted = ~np.isnan(balanced)
    both = (said & yes).sum(axis=1)
    claimed, either = (said & (yes | no)).sum(axis=1), ((said & no) | yes).sum(axis=1)
    takes_part = yes.any(axis=1)
    accuracy, precision, recall = (
        _by_image(both, total, takes_part) for total in (either, claimed, yes.sum(axis=1))
    )
    mean_accuracy, mean_precision, mean_recall = map(_mean, (accuracy, precision, recall))
    spread = (by_yes[:, counted] + by_no[:, counted]).sum(axis=1) / (2 * max(1, counted.sum()))
    contributions = {
        "mA": _mean(balanced) + spread,
        "accuracy": accuracy,
        "precision": precision,
        "recall": recall,
        "F1": _harmonic(precision, recall, mean_precision, mean_recall),
    }
    return AttributeFigures(
        recall_of_yes, recall_of_no, mean_accuracy, mean_precision, mean_recall, contributions
    )


def _mean(values: Float64) -> float:
    """Return the mean of those that are known; NaN of none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _share(right: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """Return (A,) the share of right ones among those asked, and (N, A) what each image adds."""
    count = asked.sum(axis=0)
    share = np.full(len(count), np.nan)
    np.divide((right & asked).sum(axis=0), count, out=share, where=count > 0)
    # N / n_a * 1[asked] * (right - share): of mean 0, the derivative of the share by an image.
    scale = len(asked) / np.maximum(count, 1)
    return share, np.where(asked, scale * (right - share), 0.0)


def _by_image(
    both: npt.NDArray[np.int64], total: npt.NDArray[np.int64], takes_part: npt.NDArray[np.bool_]
) -> Float64:
    shares = np.zeros(len(both))
    np.divide(both, total, out=shares, where=total > 0)
    return np.where(takes_part, shares, np.nan)


def _harmonic(precision: Float64, recall: Float64, mean_p: float, mean_r: float) -> Float64:
    """Return what each image adds to F1, to first order; (N,)."""
    total = mean_p + mean_r
    if not total > 0:
        return precision * 0
    f1 = 2 * mean_p * mean_r / total
    slope_p, slope_r = 2 * (mean_r / total) ** 2, 2 * (mean_p / total) ** 2
    added: Float64 = f1 + slope_p * (precision - mean_p) + slope_r * (recall - mean_r)
    return added
