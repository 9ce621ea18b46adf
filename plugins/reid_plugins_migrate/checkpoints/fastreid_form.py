"""What FastReID's network was, read off the names and shapes of its weights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from torch import Tensor

_NON_LOCAL = re.compile(r"^backbone\.NL_(\d)\.(\d+)\.g\.weight$")
# A neck of this name is older than the stem without a margin.
_OLD_NECK = "heads.bnneck."
# The shift of a neck's batch norm; of several parts in MGN.
_SHIFT = re.compile(r"^(heads|b\d+_head)\.(bottleneck(\.\d)?|bnneck)\.bias$")
_IMAGENET = {"pixel_mean": (0.485, 0.456, 0.406), "pixel_std": (0.229, 0.224, 0.225)}


def is_mgn(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the heads are those of MGN's branches."""
    return any(key.startswith("b1_head.") for key in tensors)


def form_of(tensors: Mapping[str, Tensor], backbone: str) -> dict[str, Any]:
    """Return a section ``model``: the options of the network, and its head.

    Args:
        tensors: the file's entries.
        backbone: our name of the backbone.
    """
    stem = "torchvision" if any(key.startswith(_OLD_NECK) for key in tensors) else "fastreid"
    if is_mgn(tensors):
        return _mgn(tensors, backbone, stem)
    model: dict[str, Any] = {"name": backbone}
    if backbone.startswith("resnet"):
        model |= {"stem": stem, **_non_local(tensors)}
    return {**model, "head": _head(tensors, backbone)}


def images_of(tensors: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Return mean and deviation of images from 0 to 1: the file's, or ImageNet's."""
    found = {}
    for key, usual in _IMAGENET.items():
        values = tensors.get(key)
        listed = values.flatten().tolist() if values is not None else [255 * v for v in usual]
        found[key.replace("pixel", "norm")] = [round(each / 255, 4) for each in listed]
    return found


def has_pool_of_unknown_kind(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the pooling has no parameters, so that nothing tells which it is."""
    return not any("pool_layer" in key and key.endswith("p") for key in tensors)


def changes_nothing(key: str, tensors: Mapping[str, Tensor]) -> bool:
    """Whether an entry that a network of ours does not have makes no difference to its features.

    Mean and deviation of images are recorded beside the weights. A neck's shift is frozen at zero
    in FastReID's training.
    """
    return key in _IMAGENET or bool(_SHIFT.match(key) and not tensors[key].any())


def why_left_out(key: str) -> str:
    """Return what an entry was, where more can be said than that there is no such entry."""
    return "necks have no shift here: features differ from FastReID's" if _SHIFT.match(key) else ""


def _head(tensors: Mapping[str, Tensor], backbone: str) -> dict[str, Any]:
    head: dict[str, Any] = {"pool": "avg"}
    if not has_pool_of_unknown_kind(tensors):
        head = {"pool": "gem", "gem_p": 3.0}
    for key, value in tensors.items():
        if key.startswith(("heads.bottleneck", _OLD_NECK)):
            if value.dim() == 4:
                head["embedding"] = len(value)
            elif key.endswith("running_mean"):
                head["neck"] = "bnneck"
    if backbone.startswith("resnet"):
        head["last_stride"] = 1
    return head


def _non_local(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    counts: dict[int, int] = defaultdict(int)
    channels = 1
    for key, value in tensors.items():
        if found := _NON_LOCAL.match(key):
            counts[int(found[1])] += 1
            channels = len(value)
    if not counts:
        return {}
    stages = [counts[stage] for stage in range(1, 5)]
    return {"non_local": stages, "non_local_channels": channels}


def _mgn(tensors: Mapping[str, Tensor], backbone: str, stem: str) -> dict[str, Any]:
    reductions = [
        len(value)
        for key, value in tensors.items()
        if key.startswith("b1_head.bottleneck") and value.dim() == 4
    ]
    pool = "avg" if has_pool_of_unknown_kind(tensors) else "gem"
    embedding = {"embedding": reductions[0]} if reductions else {}
    return {"name": "mgn", "backbone": backbone, "stem": stem, **embedding, "pool": pool}
