"""The clothes-based adversarial loss: features that do not tell a person's outfits apart.

Gu et al., "Clothes-Changing Person Re-identification with RGB Modality Only", CVPR 2022. Two terms
take turns at one classifier of outfits: it learns to name the outfit from features that it leaves
alone, and the features learn that it may confuse the outfits of one person, while it is left alone.

Shapes: B batch, D feature dim, P identities, O outfits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from reid_plugins_engines.losses.options import Scale, Smoothing
from reidcore.errors import ConfigError, UserError

if TYPE_CHECKING:
    from reidcore.data import SampleTable
    from reidcore.models import Outputs

COLUMN = "clothes"


class ClothesClassifier(nn.Module):
    """Cross entropy over outfits of a cosine classifier, which alone learns from it.

    ``z_o = scale * cos(f, w_o)``. Outfits are numbered in the order of identities and of the
    column ``clothes``; images whose clothes are not known (negative numbers) do not count. Before
    its first epoch the loss is 0, and the classifier stays as it began.

    Args:
        wearers: identity of each outfit (O,).
        clothes: its number in the column ``clothes`` (O,), in order for each identity.
        feature_dim: number of features D.
        scale: of the cosines.
        start_epoch: the first epoch, counted from 0, in which it learns.
        lr: its learning rate, which no schedule changes.
        weight_decay: its weight decay.

    Attributes:
        weight: (O, D).
    """

    takes = "features"
    across_ranks = True

    def __init__(
        self,
        wearers: Tensor,
        clothes: Tensor,
        feature_dim: int,
        scale: float = 16.0,
        start_epoch: int = 25,
        lr: float = 0.00035,
        weight_decay: float = 0.0005,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.empty(len(wearers), feature_dim).uniform_(-1)))
        self.span = int(clothes.max()) + 1
        self.register_buffer("wearers", wearers, persistent=False)
        self.register_buffer("keys", wearers * self.span + clothes, persistent=False)
        self.scale, self.lr, self.weight_decay = scale, lr, weight_decay
        self.start_epoch = start_epoch
        self.has_started = start_epoch == 0
        self.wearers: Tensor
        self.keys: Tensor

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, counted from 0."""
        self.has_started = epoch >= self.start_epoch

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean loss, a scalar that the network learns nothing from."""
        features = features_of(outputs).detach()
        if not self.has_started:
            return features.new_zeros(())
        outfits, known = self.outfits_of(batch)
        losses = F.cross_entropy(self.logits(features, self.weight), outfits, reduction="none")
        return mean_of_known(losses, known)

    def logits(self, features: Tensor, weight: Tensor) -> Tensor:
        """Return the scaled cosines (B, O) of features (B, D) with the weights (O, D)."""
        cosines: Tensor = F.linear(F.normalize(features.float()), F.normalize(weight.float()))
        return self.scale * cosines

    def outfits_of(self, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return each image's outfit, from 0 to O - 1, and whether it is known, (B,) each.

        Raises:
            UserError: if the batch does not say who wears what.
        """
        clothes = batch.get(COLUMN)
        if clothes is None:
            raise UserError(
                f"the loss 'clothes_adversarial' got a batch without the column {COLUMN!r}",
                "Keep the column in batches that a plugin makes.",
            )
        places = torch.searchsorted(self.keys, batch["pid"] * self.span + clothes)
        return places.clamp(max=len(self.keys) - 1), clothes >= 0

    def make_optimizer(self) -> Optimizer:
        """Return the optimizer of the classifier."""
        return Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)


class ClothesAdversarial:
    """Cross entropy over outfits towards all outfits of the same person.

    For outfit o of a person, ``log p_o = z_o - log(e^z_o + sum of e^z_n)`` over the outfits n of
    everybody else; the target is ``1 - eps`` on the own outfit plus ``eps / K`` on each of the
    person's K outfits. The classifier's weights are constants here.

    It is no module: the classifier belongs to its own term, which is saved and optimized.

    Args:
        classifier: of outfits; also says whether its time has come.
        eps: how much of the target is spread over the person's outfits.
    """

    takes = "features"
    across_ranks = True

    def __init__(self, classifier: ClothesClassifier, eps: float = 0.1) -> None:
        self.classifier = classifier
        self.eps = eps

    def __call__(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean loss, a scalar; 0 before the classifier's first epoch."""
        features = features_of(outputs)
        if not self.classifier.has_started:
            return features.sum() * 0
        logits = self.classifier.logits(features, self.classifier.weight.detach())
        outfits, known = self.classifier.outfits_of(batch)
        own = self.classifier.wearers == batch["pid"][:, None]  # (B, O)
        # (B, 1): all that the outfits of others have together
        others = logits.masked_fill(own, -torch.inf).logsumexp(1, keepdim=True)
        log_shares = logits - torch.logaddexp(logits, others)
        target = own * (self.eps / own.sum(1, keepdim=True).clamp(min=1))
        target = target + (1 - self.eps) * F.one_hot(outfits, own.shape[1])
        return mean_of_known(-(target * log_shares).sum(1), known)


def features_of(outputs: Outputs) -> Tensor:
    """Return the one vector (B, D) of each image.

    Raises:
        UserError: if the network gives several, or none.
    """
    if not isinstance(outputs.features, Tensor):
        raise UserError(
            "the loss 'clothes_adversarial' needs one feature vector of each image, and the model "
            "gives several or none",
            "Use a network with one branch.",
        )
    return outputs.features


def mean_of_known(losses: Tensor, known: Tensor) -> Tensor:
    """Return the mean over the images (B,) whose clothes are known, without reading labels."""
    return torch.where(known, losses, 0).sum() / known.sum().clamp(min=1)


def clothes_adversarial_terms(
    num_classes: int,
    feature_dim: int | None = None,
    train_table: SampleTable | None = None,
    *,
    scale: Scale = 16.0,
    eps: Smoothing = 0.1,
    start_epoch: Annotated[int, Field(ge=0)] = 25,
    lr: Annotated[float, Field(ge=0)] = 0.00035,
    weight_decay: Annotated[float, Field(ge=0)] = 0.0005,
) -> dict[str, tuple[float, Any]]:
    """Make the loss terms that the configuration's section ``loss.clothes_adversarial`` describes.

    Args:
        num_classes: number of training identities (P).
        feature_dim: number of features (D), as the model says.
        train_table: the training images, with the column ``clothes``.
        scale: of the cosines of the outfits' classifier.
        eps: how much of the adversarial target is spread over a person's outfits.
        start_epoch: the first epoch, counted from 0, of both terms.
        lr: learning rate of the classifier.
        weight_decay: weight decay of the classifier.

    Raises:
        ConfigError: if the training images do not say who wears what, or the model does not say
            how many features it gives.
    """
    if feature_dim is None:
        raise ConfigError(
            "the loss 'clothes_adversarial' needs to know how many features the model gives",
            "Give the model an attribute feature_dim, or leave the loss out.",
        )
    outfits = _outfits(train_table)
    classifier = ClothesClassifier(*outfits, feature_dim, scale, start_epoch, lr, weight_decay)
    return {
        "clothes_adversarial": (1.0, ClothesAdversarial(classifier, eps)),
        COLUMN: (1.0, classifier),
    }


def _outfits(table: SampleTable | None) -> tuple[Tensor, Tensor]:
    """Return wearer and number of each outfit of the training images, (O,) each, in order."""
    if table is None:  # in a test alone
        return torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    clothes = table.columns.get(COLUMN)
    if clothes is None or clothes.dtype.kind not in "iu" or not (clothes >= 0).any():
        raise ConfigError(
            "the loss 'clothes_adversarial' needs training images that say who wears what, and "
            f"they have no numbers in a column {COLUMN!r}",
            "Learn from datasets that have it, such as ltcc, prcc or vc_clothes, all of them.",
        )
    known = clothes >= 0
    pairs = np.unique(np.stack([table.pids[known], clothes[known]]), axis=1)  # (2, O)
    wearers, numbers = torch.from_numpy(pairs.astype(np.int64))
    return wearers, numbers
