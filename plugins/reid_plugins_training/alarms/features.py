"""Alarms about features: all at one point, or all in one direction."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_training.alarms.alarm import Alarm, is_settled
from reidcore.engine import Engine, StepOutcome
from reidcore.models import Outputs

_NEAR_MARGIN = 0.01
"""How near its margin, in its own size, a triplet loss has to stay to be stuck there."""

_MOST_ALIKE = 0.99
"""The mean cosine between features of a batch beyond which they have collapsed."""

_REMEDY = (
    "Lower train.lr, warm it up (train.warmup_epochs), or weigh the cross entropy in "
    "(loss.terms={softmax: 1, triplet: 1})."
)


class StuckTriplet(Alarm):
    """A triplet loss that stays at its margin: every distance is 0, and no gradient leads away.

    It looks at losses that learn from features and say by ``stuck_at`` what they cost then, or have
    a ``margin``, which is that.
    """

    def symptom(self, engine: Engine, outcome: StepOutcome) -> str:
        """Compare the losses of the step with their margins."""
        if not is_settled(engine):
            return ""
        for name, margin, value in _margin_losses(engine, outcome):
            if abs(value - margin) < _NEAR_MARGIN * margin:
                return (
                    f"The loss {name!r} stays at its margin, {margin:g}: the features of all "
                    f"images are at one point. {_REMEDY}"
                )
        return ""


class CollapsedFeatures(Alarm):
    """Features of other images that point in one direction: nothing tells the images apart."""

    def symptom(self, engine: Engine, outcome: StepOutcome) -> str:
        """Measure how alike the features of the step's images are."""
        outputs = engine.trace.outputs
        if outputs is None or not is_settled(engine):
            return ""
        alike = mean_cosine(outputs)
        if not alike > _MOST_ALIKE:
            return ""
        return (
            f"The features of a batch are nearly the same for all images (mean cosine {alike:.4f})."
            f" {_REMEDY}"
        )


def mean_cosine(outputs: Outputs) -> float:
    """Return the mean cosine between the features of two images of a batch; 0 of one image.

    The sum over all pairs is the square of the sum of the unit vectors: B x D operations.
    """
    features = outputs.features
    if features is None:  # of a foreign module that gives logits alone
        return 0.0
    joined = features if isinstance(features, Tensor) else torch.cat(list(features), dim=1)
    units = F.normalize(joined.detach().float(), dim=1)  # (B, D)
    size = len(units)
    if size < 2:
        return 0.0
    pairs = units.sum(dim=0).square().sum() - units.square().sum()
    return float(pairs) / (size * (size - 1))


def _margin_losses(engine: Engine, outcome: StepOutcome) -> Iterator[tuple[str, float, float]]:
    """Yield the name, the margin and the value of each loss that has a margin between features."""
    for term, (weight, criterion) in engine.terms.items():
        margin = getattr(criterion, "stuck_at", getattr(criterion, "margin", None))
        if not isinstance(margin, float | int) or not margin or not weight:
            continue
        if getattr(criterion, "takes", "") != "features":
            continue
        # An engine with several networks names each one's: "model2/triplet".
        for name in (each for each in outcome.losses if each.rpartition("/")[2] == term):
            yield name, float(margin), float(outcome.losses[name]) / weight
