"""The published networks by name, with their options and weights."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reid_plugins_transformers.side_information import SideKind
from reid_plugins_transformers.transreid.jigsaw import Jigsaw
from reid_plugins_transformers.transreid.model import PartTransReID, Side, TransReID
from reid_plugins_transformers.vit.encoder import Architecture
from reidcore.errors import ConfigError
from reidcore.models import load_published_weights

_log = logging.getLogger(f"reidcore.{__name__}")

Rate = Annotated[float, Field(ge=0, lt=1)]
OfJigsaw = Annotated[int, Field(ge=1, json_schema_extra={"needs": "jpm"})]
"""An option that acts with ``jpm`` alone."""

_small = partial(Architecture, 384, 12, 6)
_base = partial(Architecture, 768, 12, 12)

ARCHITECTURES = {
    "transreid_vit_b": _base(),
    # A small one of timm's first days: wide and flat, its attention scaled by its whole width.
    "transreid_vit_s": Architecture(768, 8, 8, 3.0, qkv_bias=False, attention_scale=768**-0.5),
    "vit_s_16": _small(),
    "vit_b_16": _base(),
    "vit_s_16_ics": _small(stem="ics"),
    "vit_b_16_ics": _base(stem="ics"),
    "vit_s_16_pass": _small(part_tokens=3),
    "vit_b_16_pass": _base(part_tokens=3),
}
"""Name of a model -> its transformer."""

_ON_HALVES = ("transreid_vit_b",)
"""Models whose weights were trained on pixels of mean and deviation 0.5, not ImageNet's."""


def _build(
    name: str,
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int] = (256, 128),
    num_cameras: int | None = None,
    num_views: int | None = None,
    stride: int = 16,
    sie: SideKind = "none",
    sie_coefficient: Annotated[float, Field(json_schema_extra={"needs": "sie"})] = 3.0,
    jpm: bool = False,
    jpm_shift: OfJigsaw = 5,
    jpm_groups: OfJigsaw = 2,
    jpm_parts: OfJigsaw = 4,
    drop_path: Rate = 0.1,
    neck: Literal["bnneck", "none"] = "bnneck",
    metric_features: Side = "before_neck",
    test_features: Side = "before_neck",
) -> TransReID:
    """Build a TransReID or plain ViT, with its weights from ImageNet or from images of people.

    Args:
        name: of the model and its weights.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        pretrained: load the published weights.
        image_size: height and width of the images.
        num_cameras: of the training images.
        num_views: likewise.
        stride: pixels from a patch to the next one; patches of 16 overlap below 16.
        sie: side information: ``none``, ``camera``, ``view`` or ``both``.
        sie_coefficient: factor on the side information.
        jpm: describe an image by jigsaw parts as well.
        jpm_shift: how far the jigsaw shifts patches.
        jpm_groups: of its shuffle.
        jpm_parts: number of parts.
        drop_path: share of the last block's residual branches left out in training.
        neck: ``bnneck`` or ``none``.
        metric_features: ``before_neck`` or ``after_neck``: what the metric losses see.
        test_features: likewise, by which images are compared.

    Raises:
        ConfigError: if an option does not fit the images or the data.
        UserError: if there are no weights on this machine and none can be downloaded.
    """
    form = ARCHITECTURES[name]
    if jpm and form.part_tokens:
        raise ConfigError(
            f"{name} describes parts by tokens of its own, and takes no jigsaw",
            "Leave model.jpm out, or choose another vision transformer.",
        )
    kind = PartTransReID if form.part_tokens else TransReID
    model = kind(
        form,
        num_classes,
        loss,
        image_size=image_size,
        stride=stride,
        sie=sie,
        sie_coefficient=sie_coefficient,
        num_cameras=num_cameras,
        num_views=num_views,
        jigsaw=Jigsaw(jpm_shift, jpm_groups, jpm_parts) if jpm else None,
        drop_path=drop_path,
        neck=neck,
        metric_features=metric_features,
        test_features=test_features,
    )
    if pretrained:
        load_published_weights(model, name)
        if name in _ON_HALVES:
            _log.info(
                "The weights of %s were trained on pixels of mean 0.5 and deviation 0.5: set "
                "data.norm_mean and data.norm_std",
                name,
            )
    return model


Factory: TypeAlias = Callable[..., TransReID]

transreid_vit_b: Factory = partial(_build, "transreid_vit_b")
transreid_vit_s: Factory = partial(_build, "transreid_vit_s")
vit_s_16: Factory = partial(_build, "vit_s_16")
vit_b_16: Factory = partial(_build, "vit_b_16")
vit_s_16_ics: Factory = partial(_build, "vit_s_16_ics")
vit_b_16_ics: Factory = partial(_build, "vit_b_16_ics")
vit_s_16_pass: Factory = partial(_build, "vit_s_16_pass")
vit_b_16_pass: Factory = partial(_build, "vit_b_16_pass")
