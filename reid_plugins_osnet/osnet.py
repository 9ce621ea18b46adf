"""OSNet and its variants, with the keys, shapes and outputs of the public checkpoints.

Zhou et al., "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019 (OSNet);
Zhou et al., "Learning Generalisable Omni-Scale Representations for Person Re-Identification",
TPAMI 2021 (OSNet-AIN); Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities
via IBN-Net", ECCV 2018 (the idea behind OSNet-IBN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn

from reid_plugins_osnet.blocks import (
    InstanceNorm,
    OmniScaleBlock,
    batch_norm,
    conv,
    instance_norm,
    shrink,
)
from reidcore.models import ReidModel, initialise, load_published_weights

Norms: TypeAlias = tuple[InstanceNorm, InstanceNorm]

_PLAIN: Norms = ("none", "none")


@dataclass(frozen=True)
class Variant:
    """One published OSNet.

    Attributes:
        widths: channels of the stem and of the three stages.
        norms: for each stage, where its two blocks normalise images one by one.
        normalised_stem: whether the stem does, too.
        listed: whether its checkpoints keep streams in a list and pooling outside the stages.
    """

    widths: tuple[int, int, int, int]
    norms: tuple[Norms, Norms, Norms] = (_PLAIN, _PLAIN, _PLAIN)
    normalised_stem: bool = False
    listed: bool = False


_X1_0 = (64, 256, 384, 512)
_X0_75 = (48, 192, 288, 384)
_X0_5 = (32, 128, 192, 256)
_X0_25 = (16, 64, 96, 128)

_ibn = partial(Variant, norms=(("sum", "sum"), _PLAIN, _PLAIN), normalised_stem=True)
_ain = partial(
    Variant,
    norms=(("branch", "branch"), ("none", "branch"), ("branch", "none")),
    normalised_stem=True,
    listed=True,
)

VARIANTS = {
    "osnet_x1_0": Variant(_X1_0),
    "osnet_x0_75": Variant(_X0_75),
    "osnet_x0_5": Variant(_X0_5),
    "osnet_x0_25": Variant(_X0_25),
    "osnet_ibn_x1_0": _ibn(_X1_0),
    "osnet_ain_x1_0": _ain(_X1_0),
    "osnet_ain_x0_75": _ain(_X0_75),
    "osnet_ain_x0_5": _ain(_X0_5),
    "osnet_ain_x0_25": _ain(_X0_25),
}


class OSNet(ReidModel):
    """Omni-scale network: a stem, three stages of two omni-scale blocks, a 512-dim embedding.

    Args:
        variant: which one.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        feature_dim: size of the features (D); None leaves the pooled maps as they are.

    Attributes:
        channels: of the last maps.
    """

    def __init__(
        self,
        variant: Variant,
        num_classes: int,
        loss: str = "softmax",
        feature_dim: int | None = 512,
    ) -> None:
        super().__init__(loss)
        trunk = dict(_trunk(variant))
        for name, stage in trunk.items():
            self.add_module(name, stage)
        self._trunk_names = tuple(trunk)
        named = [(f"conv{number}", f"pool{number}") for number in range(1, 6)]
        self.stages = [[name for name in stage if name in trunk] for stage in named]
        self.channels = variant.widths[-1]
        self.feature_dim = feature_dim or self.channels
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = _embedding(self.channels, feature_dim) if feature_dim else None
        self.classifier = nn.Linear(self.feature_dim, num_classes)
        initialise(self)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 16, W / 16)."""
        maps = images
        for name in self._trunk_names:
            maps = self.get_submodule(name)(maps)
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, D)."""
        pooled: Tensor = self.global_avgpool(maps).flatten(1)
        return pooled if self.fc is None else self.fc(pooled)


def _trunk(variant: Variant) -> Iterator[tuple[str, nn.Module]]:
    stem_norm = instance_norm if variant.normalised_stem else batch_norm
    width = variant.widths[0]
    yield "conv1", conv(3, width, 7, stride=2, norm=stem_norm)
    yield "maxpool", nn.MaxPool2d(3, stride=2, padding=1)
    for number, (wider, norms) in enumerate(zip(variant.widths[1:], variant.norms, strict=True), 2):
        blocks: list[nn.Module] = [
            OmniScaleBlock(width, wider, norms[0], variant.listed),
            OmniScaleBlock(wider, wider, norms[1], variant.listed),
        ]
        pool = [shrink(wider)] if number < 4 else []
        if variant.listed:
            yield f"conv{number}", nn.Sequential(*blocks)
            yield from ((f"pool{number}", layer) for layer in pool)
        else:
            yield f"conv{number}", nn.Sequential(*blocks, *pool)
        width = wider
    yield "conv5", conv(width, width)


def _embedding(c_in: int, feature_dim: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(c_in, feature_dim), nn.BatchNorm1d(feature_dim), nn.ReLU(inplace=True)
    )


def _build(
    name: str,
    num_classes: int = 1000,
    pretrained: bool = True,
    loss: str = "softmax",
    *,
    feature_dim: int | None = 512,
) -> OSNet:
    """Build an OSNet (Zhou et al., 2019 and 2021), from ImageNet weights if ``pretrained``.

    ``feature_dim`` is the size of the features (D); None leaves the pooled maps as they are.
    """
    variant = VARIANTS[name]
    model = OSNet(variant, num_classes, loss, feature_dim)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., OSNet]

osnet_x1_0: Factory = partial(_build, "osnet_x1_0")
osnet_x0_75: Factory = partial(_build, "osnet_x0_75")
osnet_x0_5: Factory = partial(_build, "osnet_x0_5")
osnet_x0_25: Factory = partial(_build, "osnet_x0_25")
osnet_ibn_x1_0: Factory = partial(_build, "osnet_ibn_x1_0")
osnet_ain_x1_0: Factory = partial(_build, "osnet_ain_x1_0")
osnet_ain_x0_75: Factory = partial(_build, "osnet_ain_x0_75")
osnet_ain_x0_5: Factory = partial(_build, "osnet_ain_x0_5")
osnet_ain_x0_25: Factory = partial(_build, "osnet_ain_x0_25")
