"""What networks that describe an image part by part have in common.

B images, C identities; h and w are the size of the last maps. A part is pooled from one region of
the maps or from several, reduced to D dimensions, and brought through a neck to its own classifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from reidcore.errors import UserError, counted
from reidcore.models import Outputs, ReidModel, batch_norm_neck, linear_classifier
from reidcore.registry import Component, choose

Choice: TypeAlias = str | Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]
"""A component by name, or by name with its options: ``gem``, or ``{gem: {p: 2.0}}``."""

Neck: TypeAlias = Literal["before_neck", "after_neck"]


class PartFeatures(NamedTuple):
    """What describes one part of images.

    Attributes:
        before_neck: (B, D).
        after_neck: (B, D).
    """

    before_neck: Tensor
    after_neck: Tensor


class Part(nn.Module):
    """Regions of maps -> the features of a part, before and behind a batch norm without shift.

    Args:
        pools: one for each region, (B, channels, h, w) -> (B, channels).
        channels: of the maps.
        embedding: D; None leaves the pooled vectors, one behind the other, as they are.
    """

    def __init__(self, pools: Iterable[nn.Module], channels: int, embedding: int | None) -> None:
        super().__init__()
        self.pools = nn.ModuleList(pools)
        pooled = channels * len(self.pools)
        self.reduction = _reduction(pooled, embedding) if embedding else nn.Identity()
        self.feature_dim = embedding or pooled
        self.neck = batch_norm_neck(self.feature_dim)

    def forward(self, regions: Sequence[Tensor]) -> PartFeatures:
        """Maps (B, channels, rows, w) of each region -> (B, D), before and behind the neck."""
        pooled = [pool(maps) for pool, maps in zip(self.pools, regions, strict=True)]
        reduced = self.reduction(torch.cat(pooled, 1))
        return PartFeatures(reduced, self.neck(reduced))


class PartModel(ReidModel):
    """Base of networks with parts: a subclass says which regions each part is pooled from.

    Logits and, by default, the features of the metric losses come one of each part; images are
    compared by all parts, one behind the other.

    Attributes:
        seen_by_losses: which features the metric losses see.
        compared: which features images are compared by; the classifiers see those behind the neck.
    """

    classifier: nn.ModuleList
    seen_by_losses: Neck = "before_neck"
    compared: Neck = "after_neck"

    def add_parts(self, parts: Iterable[Part], num_classes: int, classifier: Choice) -> None:
        """Add the parts and a classifier for each.

        Args:
            parts: in the order of the logits and of the features.
            num_classes: number of training identities (C).
            classifier: a registered classifier.
        """
        made = list(parts)
        self.parts = nn.ModuleList(made)
        self.classifier = nn.ModuleList(
            make_classifier(classifier, part.feature_dim, num_classes) for part in made
        )
        self.feature_dim = sum(part.feature_dim for part in made)

    def regions(self, maps: Tensor) -> Sequence[Sequence[Tensor]]:
        """Cut maps (B, channels, h, w): for each part the maps (B, channels, rows, w) it is of."""
        raise NotImplementedError(f"{type(self).__name__} defines no regions(maps)")

    def embed(self, maps: Tensor) -> list[PartFeatures]:
        """(B, channels, h, w) -> the features of each part."""
        regions = self.regions(maps)
        return [part(own) for part, own in zip(self.parts, regions, strict=True)]

    def heads(self, embedding: Sequence[PartFeatures], pids: Tensor | None) -> Outputs:
        """Return logits (B, C) of each part, and what the metric losses see."""
        logits = [
            classifier(part.after_neck, pids)
            for classifier, part in zip(self.classifier, embedding, strict=True)
        ]
        seen = [getattr(part, self.seen_by_losses) for part in embedding]
        return Outputs(logits, self.for_losses(seen))

    def for_losses(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return what the metric losses see of the features (B, D) of each part."""
        return tuple(features)

    def retrieval(self, embedding: Sequence[PartFeatures]) -> Tensor:
        """Return the features of all parts: (B, parts * D)."""
        return torch.cat([getattr(part, self.compared) for part in embedding], 1)


def make_pool(pool: Choice, channels: int) -> nn.Module:
    """Return a pooling (B, channels, h, w) -> (B, channels), as it is registered."""
    return _made(_chosen("poolings", pool), channels=channels)


def make_classifier(classifier: Choice, feature_dim: int, num_classes: int) -> nn.Module:
    """Return a classifier (B, D) -> (B, C) without bias, as it is registered."""
    if classifier == "linear":
        return linear_classifier(feature_dim, num_classes, bias=False)
    chosen = _chosen("classifiers", classifier)
    return _made(chosen, feature_dim=feature_dim, num_classes=num_classes, bias=False)


def rows_of(maps: Tensor, stripes: int) -> Sequence[Tensor]:
    """Cut maps (B, channels, h, w) into stripes one above the other, as even as can be.

    Raises:
        UserError: if there are fewer rows than stripes.
    """
    if maps.shape[2] < stripes:
        raise UserError(
            f"the last maps have {counted(maps.shape[2], 'row')}, which cannot be cut into "
            f"{counted(stripes, 'stripe')}",
            "Use higher images (data.height), last stride 1, or fewer stripes.",
        )
    return maps.tensor_split(stripes, dim=2)


def _chosen(kind: str, choice: Choice) -> Component:
    if isinstance(choice, Mapping):
        ((name, options),) = choice.items()
        return choose(kind, name, options)
    return choose(kind, choice)


def _made(component: Component, **supplied: Any) -> nn.Module:
    made = component.make(**supplied)
    if not isinstance(made, nn.Module):
        raise component.entry.defect(made, "a torch.nn.Module")
    return made


def _reduction(pooled: int, embedding: int) -> nn.Linear:
    reduction = nn.Linear(pooled, embedding, bias=False)
    nn.init.kaiming_normal_(reduction.weight, mode="fan_out")
    return reduction
