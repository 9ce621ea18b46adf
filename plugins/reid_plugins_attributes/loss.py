"""The loss of attributes: a linear layer over the features, and weighted binary cross entropy.

The layer belongs to the loss: it learns with the network, at its rate, and stands in no network's
weights, so that any network of any plugin can learn attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_attributes.questions import Question, answers_in, questions_of
from reidcore.data import SampleTable
from reidcore.errors import ConfigError, DataError
from reidcore.models import Outputs

Weighting = Literal["deepmar", "positive", "none"]
"""How answers weigh that few images have, ``p`` being the share of images that say yes.

``positive``: both weigh ``exp(-p)``, as Li et al. write it in "Multi-attribute Learning for
Pedestrian Attribute Recognition in Surveillance Scenarios" (DeepMAR, ACPR 2015; sigma is 1), and as
in Torchreid's project of attribute recognition. ``deepmar``: a yes weighs ``exp(1 - p)`` and a no
``exp(p)``, as DeepMAR is trained in later public code.
"""


class AttributeLoss(nn.Module):
    """Weighted binary cross entropy of what a linear layer says of features.

    The mean is over the answers that are known. It is computed in float32 or better, also under
    mixed precision.

    Args:
        questions: A of them; none in a test, which trains nothing.
        shares: (A,) the share of training images whose answer is yes, among those with an answer.
        feature_dim: D.
        weighting: how rare answers weigh.
        smoothing: the share of each answer that its opposite is given, from 0.

    Attributes:
        questions: what the A outputs of ``classifier`` answer.
        classifier: from D features to A logits; yes where one is above 0.
    """

    takes = "features"

    def __init__(
        self,
        questions: Sequence[Question],
        shares: Tensor,
        feature_dim: int,
        weighting: Weighting = "deepmar",
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.questions = tuple(questions)
        self.weighting, self.smoothing = weighting, smoothing
        self.classifier = nn.Linear(feature_dim, max(1, len(self.questions)))
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)
        # Not of the weights: a resumed run counts them again.
        self.register_buffer("shares", shares.float(), persistent=False)

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            outputs: features ``(B, D)``; those of several branches are put side by side.
            batch: has the table's columns of attributes, (B,) each.

        Raises:
            DataError: if the batch has none of them.
        """
        if not any(each.column in batch for each in self.questions):
            raise DataError(
                "the batch has no attribute of those that are learnt",
                f"Was {self.questions[0].column!r} left out by a dataset of one's own?",
            )
        answers = torch.from_numpy(answers_in(batch, self.questions))
        return self.of(joined(outputs.features), answers)

    def of(self, features: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of features (B, D) and answers (B, A): 1, 0, or below 0 if unknown."""
        precise = torch.promote_types(features.dtype, torch.float32)
        with torch.autocast(features.device.type, enabled=False):
            logits = self.classifier(features.to(precise))
            answers = answers.to(logits.device)
            yes = (answers == 1).to(precise)
            weights = self._weights(yes) * (answers >= 0)
            targets = yes * (1 - self.smoothing) + (1 - yes) * self.smoothing
            each = F.binary_cross_entropy_with_logits(logits, targets, weights, reduction="none")
            return each.sum() / (answers >= 0).sum().clamp(min=1)

    def _weights(self, yes: Tensor) -> Tensor:
        """Return the weights (B, A) of answers (B, A)."""
        shares = self.get_buffer("shares").to(yes.dtype)
        if self.weighting == "none":
            return torch.ones_like(yes)
        if self.weighting == "positive":
            return torch.exp(-shares).expand_as(yes)
        return torch.where(yes == 1, torch.exp(1 - shares), torch.exp(shares))


def joined(features: Any) -> Tensor:
    """Return features of several branches side by side, (B, D)."""
    return features if isinstance(features, Tensor) else torch.cat(list(features), dim=1)


def attribute_term(
    num_classes: int,
    feature_dim: int | None = None,
    train_table: SampleTable | None = None,
    weighting: Weighting = "deepmar",
    smoothing: float = 0.0,
) -> AttributeLoss:
    """Make the loss term that the configuration's section ``loss.attributes`` describes.

    Args:
        num_classes: number of training identities, which plays no part.
        feature_dim: number of features (D), as the model says.
        train_table: the training images with their columns; None in a test.
        weighting: how rare answers weigh: ``deepmar``, ``positive`` or ``none``.
        smoothing: the share of each answer that its opposite is given, below 0.5.

    Raises:
        ConfigError: if the model does not say how many features it gives, or the smoothing is out
            of range.
        DataError: if the training images have no attributes.
    """
    if feature_dim is None:
        raise ConfigError(
            "the loss of attributes needs to know how many features the model gives",
            "Give the model an attribute feature_dim, or leave the loss out.",
        )
    if not 0 <= smoothing < 0.5:
        raise ConfigError(f"loss.attributes.smoothing is {smoothing}", "Give 0 to less than 0.5.")
    if train_table is None:
        return AttributeLoss((), torch.zeros(0), feature_dim, weighting, smoothing)
    questions = questions_of(train_table)
    answers = torch.from_numpy(answers_in(train_table.columns, questions))
    known = (answers >= 0).sum(0).clamp(min=1)
    shares = (answers == 1).sum(0) / known
    return AttributeLoss(questions, shares, feature_dim, weighting, smoothing)
