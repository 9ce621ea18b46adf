"""Checkpoints of BoT and of AGW: a backbone, a BNNeck and a classifier.

Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPRW 2019; Ye
et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2021, whose
backbone may have non-local blocks and whose pooling is a generalized mean. Their networks begin
without a ReLU. Shifts of the neck, which they keep at zero, have no counterpart here.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from reid_plugins_zoo.layouts.resnets import name_of, stem_advice
from reidcore.models import WeightsLayout

_BACKBONE, _NECK, _POOL = "base.", "bottleneck.", "global_pool."


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return the entries of one of these files under our names.

    Args:
        model: of any kind.
        tensors: the file's entries; others than those of a ResNet below ``base.`` are left alone.
    """
    if "base.layer1.0.conv1.weight" not in tensors:
        return None
    names = {key: _name(key) for key in tensors}
    return WeightsLayout(
        "BoT's and AGW's keys",
        {names[key]: value for key, value in tensors.items()},
        {name: key for key, name in names.items()},
        stem_advice(model, "bot", "BoT and AGW"),
    )


def _name(key: str) -> str:
    if key.startswith(_BACKBONE):
        return name_of(key.removeprefix(_BACKBONE))
    if key.startswith(_NECK):
        return f"head.neck.{key.removeprefix(_NECK)}"
    if key.startswith(_POOL):
        return f"head.pool.{key.removeprefix(_POOL)}"
    return key
