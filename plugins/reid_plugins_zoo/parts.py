"""Stripes on any backbone: the family ``parts/<model>``.

Stripes of several numbers at once are those of Fu et al., "Horizontal Pyramid Matching for Person
Re-identification", AAAI 2019; a classifier for each stripe is PCB's (Sun et al., "Beyond Part
Models", ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from reid_plugins_zoo.part_model import Choice, Neck, Part, PartModel, make_pool, rows_of
from reid_plugins_zoo.resnet_variants import Width
from reidcore.errors import ConfigError, UnknownNameError, UserError, counted
from reidcore.models import ReidModel, attach_head, build_model, usual_size
from reidcore.registry import choose, entries

Stripes: TypeAlias = Annotated[Sequence[Width], Field(min_length=1)]
Reduce: TypeAlias = Literal["stripe", "level"]


class StripeModel(PartModel):
    """A backbone whose maps are cut into stripes, described one by one.

    Args:
        backbone: gives the maps; its own classifier, and what only that uses, are gone.
        parts: as ``parts_of`` makes them.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        stripes: how many stripes the maps are cut into, for each level; 1 is the whole image.
        reduce: whether there is a part of each ``stripe``, or one of all stripes of a ``level``.
        activation: a layer that the maps go through first.
        classifier: a registered classifier; each part has its own.
    """

    def __init__(
        self,
        backbone: ReidModel,
        parts: Iterable[Part],
        num_classes: int,
        loss: str = "softmax",
        stripes: Sequence[int] = (1, 2, 4),
        reduce: Reduce = "stripe",
        activation: nn.Module | None = None,
        classifier: Choice = "linear",
    ) -> None:
        super().__init__(loss)
        self.backbone = backbone
        self.activation = activation or nn.Identity()
        self.add_parts(parts, num_classes, classifier)
        self._stripes, self._reduce = tuple(stripes), reduce
        self.inputs = backbone.inputs
        self.fixed_size, self.min_size = backbone.fixed_size, backbone.min_size

    def last_maps(self, images: Tensor, **columns: Any) -> Tensor:
        """(B, 3, H, W) -> (B, channels, h, w): the backbone's."""
        return self.backbone.last_maps(images, **columns)

    def describe(self, images: Tensor, **columns: Any) -> Any:
        """(B, 3, H, W) -> the features of each part."""
        return self.embed(self.last_maps(images, **columns))

    def regions(self, maps: Tensor) -> Sequence[Sequence[Tensor]]:
        """(B, channels, h, w) -> the stripes of each part."""
        seen = self.activation(maps)
        levels = [rows_of(seen, count) for count in self._stripes]
        if self._reduce == "level":
            return levels
        return [[stripe] for level in levels for stripe in level]

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each of the backbone's parameters."""
        return {f"backbone.{name}": depth for name, depth in self.backbone.layer_depths().items()}

    def resampled(self, name: str, entry: Tensor) -> Tensor | None:
        """Let the backbone bring an entry of its own into its size."""
        own = name.removeprefix("backbone.")
        return None if own == name else self.backbone.resampled(own, entry)


def parts_of(
    stripes: Sequence[int], reduce: Reduce, channels: int, embedding: int | None, pool: Choice
) -> list[Part]:
    """Return the parts of a ``StripeModel``.

    Args:
        stripes: how many there are of each level.
        reduce: see ``StripeModel``.
        channels: of the maps.
        embedding: size of the features of a part (D); None leaves them as they are pooled.
        pool: a registered pooling; each stripe has its own.
    """
    sizes = stripes if reduce == "level" else [1] * sum(stripes)
    return [
        Part((make_pool(pool, channels) for _ in range(size)), channels, embedding)
        for size in sizes
    ]


def members() -> list[str]:
    """Return the names of registered models; those of families, such as timm's, work too."""
    return [entry.name for entry in entries("models")]


def factory_of(name: str) -> Callable[..., StripeModel]:
    """Return what builds stripes on the model of that name.

    Raises:
        UnknownNameError: if it has stripes itself.
    """
    if name.startswith("parts/"):
        raise UnknownNameError(
            f"parts/{name} would cut stripes out of stripes", f"Did you mean {name!r}?"
        )

    def build(
        num_classes: int = 1000,
        loss: str = "softmax",
        pretrained: bool = True,
        *,
        stripes: Stripes = (1, 2, 4),
        reduce: Reduce = "stripe",
        embedding: Width | None = 256,
        activation: Literal["gelu"] | None = None,
        pool: Choice = "gem",
        classifier: Choice = "linear",
        last_stride: Literal[1] | None = None,
        metric_features: Neck = "before_neck",
        test_features: Neck = "after_neck",
        backbone: Mapping[str, Any] = {},
        image_size: tuple[int, int] | None = None,
        num_cameras: int | None = None,
        num_views: int | None = None,
    ) -> StripeModel:
        """Build stripes on the maps of another model.

        Args:
            num_classes: number of training identities (C).
            loss: what training returns (see ``ReidModel``); logits are a list, features a tuple.
            pretrained: start from the backbone's published weights.
            stripes: how many stripes the maps are cut into, for each level; 1 is the whole image.
            reduce: make a part of each ``stripe``, or one of all stripes of a ``level``.
            embedding: size of the features of a part; null leaves them as they are pooled.
            activation: what the maps go through first, for backbones that end without one.
            pool: a registered pooling, or ``{name: {its options}}``.
            classifier: a registered classifier, or ``{name: {its options}}``.
            last_stride: 1 keeps the size of the backbone's maps where they would be halved last.
            metric_features: which features the metric losses see.
            test_features: which features images are compared by.
            backbone: options of the backbone.
            image_size: height and width of the images; by default the backbone's own, or 256x128.
            num_cameras: number of cameras in the training images.
            num_views: number of views in them.

        Raises:
            UnknownNameError: if there is no such model, or it has no such option.
            ConfigError: if it gives no maps, or fewer rows than there are stripes.
        """
        choose("models", name, backbone)  # refuses what is no option, such as image_size
        made = build_model(
            name,
            1,
            pretrained=pretrained,
            image_size=image_size,
            num_cameras=num_cameras,
            num_views=num_views,
            **backbone,
        )
        trunk, maps = _trunk(name, made, last_stride, image_size)
        if maps.shape[2] < max(stripes):
            raise ConfigError(
                f"parts/{name}: the last maps have {counted(maps.shape[2], 'row')}, which cannot "
                f"be cut into {counted(max(stripes), 'stripe')}",
                "Set model.last_stride=1 or a larger data.height, or give fewer model.stripes.",
            )
        model = StripeModel(
            trunk,
            parts_of(stripes, reduce, maps.shape[1], embedding, pool),
            num_classes,
            loss,
            stripes,
            reduce,
            nn.GELU() if activation == "gelu" else None,
            classifier,
        )
        model.seen_by_losses, model.compared = metric_features, test_features
        return model

    return build


def _trunk(
    name: str, model: nn.Module, last_stride: int | None, size: tuple[int, int] | None
) -> tuple[ReidModel, Tensor]:
    """Return a model without what comes behind its maps, and its maps of an empty image."""
    # A pooling of the head takes out what only the model's own features are made of.
    head = {"pool": "avg"} | ({"last_stride": last_stride} if last_stride else {})
    try:
        attach_head(model, head, num_classes=1, image_size=size)
    except UserError as error:
        raise ConfigError(
            f"parts/{name}: {error.what.removeprefix('model.head: ')}",
            "Choose a model that pools its features from its last maps.",
        ) from error
    assert isinstance(model, ReidModel)  # or it could have no head
    model.head, model.classifier = None, nn.Identity()
    height, width = model.fixed_size or size or usual_size(model)
    device = next(model.parameters()).device
    modes = {layer: layer.training for layer in model.modules()}
    with torch.no_grad():
        maps = model.eval().last_maps(torch.zeros(1, 3, height, width, device=device))
    for layer, mode in modes.items():
        layer.training = mode
    return model, maps
