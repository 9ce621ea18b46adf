"""FastReID's checkpoints: a backbone and its heads.

He et al., "FastReID: A Pytorch Toolbox for General Instance Re-identification", 2020. Its ResNets
have torchvision's keys below ``backbone.``, as ours have, and IBN-Net's norms ``IN`` and ``BN``;
its heads are pooling, a bottleneck (a reduction, a BNNeck, or both) and a classifier. What has no
counterpart here keeps its key, and is then reported as unknown: squeeze-and-excitation without
biases and non-local blocks between the stages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from reidcore.models import WeightsLayout

_NECK = re.compile(r"^heads\.(?:bottleneck(?:\.\d+)?|bnneck)\.(\w+)$")
_POOL = re.compile(r"^heads\.pool_layer\.(?:\d+\.)?p$")
_CLASSIFIER = ("heads.weight", "heads.classifier.weight")


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return the entries of one of FastReID's files under our names.

    Args:
        model: of any kind.
        tensors: the file's entries; others than FastReID's are left alone.
    """
    if not {"backbone", "heads"} <= {key.partition(".")[0] for key in tensors}:
        return None
    return WeightsLayout("FastReID's keys", *_renamed(tensors))


def _renamed(found: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the entries under our names, and the file's key of each name."""
    tensors: dict[str, Tensor] = {}
    file_keys: dict[str, str] = {}
    for key, value in found.items():
        name, own = _renamed_entry(key, value)
        tensors[name], file_keys[name] = own, key
    reduction = tensors.get("head.embedding.weight")
    if reduction is not None and "head.embedding.bias" not in tensors:
        # Its reduction is a convolution without bias, ours a linear layer with one.
        tensors["head.embedding.bias"] = torch.zeros(len(reduction), dtype=reduction.dtype)
    return tensors, file_keys


def _renamed_entry(key: str, value: Tensor) -> tuple[str, Tensor]:
    if key.startswith("backbone."):
        return key.removeprefix("backbone."), value
    if key in _CLASSIFIER:
        return "classifier.weight", value
    if _POOL.match(key):
        return "head.pool.p", value
    if in_neck := _NECK.match(key):
        if value.dim() == 4:  # (D, channels, 1, 1)
            return f"head.embedding.{in_neck[1]}", value.flatten(1)
        return f"head.neck.{in_neck[1]}", value
    return key, value
