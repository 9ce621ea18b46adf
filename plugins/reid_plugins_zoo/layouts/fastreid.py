"""FastReID's checkpoints: a backbone and its heads, or MGN's branches.

He et al., "FastReID: A Pytorch Toolbox for General Instance Re-identification", 2020. Its ResNets
have torchvision's keys below ``backbone.``, as ours have, and IBN-Net's norms ``IN`` and ``BN``;
its heads are pooling, a bottleneck (a reduction, a BNNeck, or both) and a classifier. What has no
counterpart here keeps its key, and is then reported as unknown: squeeze-and-excitation without
biases, shifts of a neck, which it keeps at zero, and the mean and deviation of images.

Its stem was torchvision's until August 2020, and a neck was called ``bnneck`` until September; the
files of its model zoo are of July. MGN was another network then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from reid_plugins_zoo.layouts.resnets import name_of, stem_advice
from reid_plugins_zoo.mgn import MGN
from reid_plugins_zoo.resnet_variants import Stem
from reidcore.errors import CheckpointError
from reidcore.models import WeightsLayout

_IN_HEADS = re.compile(r"^(?:heads|(b\d+)_head)\.(.+)$")
_POOL = re.compile(r"^pool_layer\.(?:\d+\.)?p$")
_NECK = re.compile(r"^(?:bottleneck(?:\.\d+)?|bnneck)\.(\w+)$")
_OLD_NECK = ("heads.bnneck.weight", "heads.bnneck.running_mean")
_CLASSIFIER = ("weight", "classifier.weight")

# MGN's heads in the order of our parts: the whole of each branch, halves, thirds.
_MGN_PARTS = ("b1", "b2", "b3", "b21", "b22", "b31", "b32", "b33")
# What the number of a layer in the sequence ``backbone`` is.
_MGN_TRUNK = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3.0"}
_MGN_BRANCH = re.compile(r"^b(\d)\.(?:0\.(\d+)|1)\.(.+)$")

# Of images from 0 to 255.
_IMAGENET = {"pixel_mean": (123.675, 116.28, 103.53), "pixel_std": (58.395, 57.12, 57.375)}


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return the entries of one of FastReID's files under our names.

    Args:
        model: of any kind.
        tensors: the file's entries; others than FastReID's are left alone.

    Raises:
        CheckpointError: if the file is of another MGN than ``model``.
    """
    parts = {key.partition(".")[0] for key in tensors}
    if "b1_pool" in parts and isinstance(model, MGN):
        raise CheckpointError(
            "the file holds b1_pool and is of FastReID's MGN before 2021, whose parts end in a "
            "second batch norm behind a ReLU, which this one has not",
            "Use a file of FastReID 1.0 or newer, or train: reidcore run mgn_r50_ibn.",
        )
    stem: Stem = "torchvision" if any(key in tensors for key in _OLD_NECK) else "fastreid"
    advice = " ".join(
        filter(None, [stem_advice(model, stem, "FastReID"), _advice_on_images(tensors)])
    )
    if {"backbone", "b1_head"} <= parts:
        return WeightsLayout("FastReID's keys of MGN", *_renamed(tensors, _name_in_mgn), advice)
    if {"backbone", "heads"} <= parts:
        return WeightsLayout("FastReID's keys", *_renamed(tensors, _name), advice)
    return None


def _renamed(
    found: Mapping[str, Tensor], name_of_entry: Callable[[str, Tensor], str]
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the entries under our names, and the file's key of each name."""
    tensors: dict[str, Tensor] = {}
    file_keys: dict[str, str] = {}
    for key, value in found.items():
        name = name_of_entry(key, value)
        tensors[name] = value.flatten(1) if _is_reduction(name) else value
        file_keys[name] = key
    reduction = tensors.get("head.embedding.weight")
    if reduction is not None and "head.embedding.bias" not in tensors:
        # Its reduction is a convolution without bias, ours a linear layer with one.
        tensors["head.embedding.bias"] = torch.zeros(len(reduction), dtype=reduction.dtype)
    return tensors, file_keys


def _is_reduction(name: str) -> bool:
    """Whether an entry is a convolution's (D, channels, 1, 1), and a linear layer's here."""
    return name == "head.embedding.weight" or name.endswith(".reduction.weight")


def _name(key: str, value: Tensor) -> str:
    if key.startswith("backbone."):
        return name_of(key.removeprefix("backbone."))
    if not (in_head := _IN_HEADS.match(key)):
        return key
    key_in_head = in_head[2]
    if key_in_head in _CLASSIFIER:
        return "classifier.weight"
    if _POOL.match(key_in_head):
        return "head.pool.p"
    if in_neck := _NECK.match(key_in_head):
        return f"head.{'embedding' if value.dim() == 4 else 'neck'}.{in_neck[1]}"
    return key


def _name_in_mgn(key: str, value: Tensor) -> str:
    if in_branch := _MGN_BRANCH.match(key):
        branch, block, rest = in_branch.groups()
        # The first block of the third stage is the trunk's.
        layer = "layer4" if block is None else f"layer3.{int(block) + 1}"
        return f"branches.{int(branch) - 1}.{layer}.{rest}"
    part, _, rest = key.partition(".")
    number, _, inner = rest.partition(".")
    if part == "backbone" and number in _MGN_TRUNK:
        return f"backbone.{_MGN_TRUNK[number]}.{inner}"
    in_head = _IN_HEADS.match(key)
    if not in_head or in_head[1] not in _MGN_PARTS:
        return key
    index, key_in_head = _MGN_PARTS.index(in_head[1]), in_head[2]
    if key_in_head in _CLASSIFIER:
        return f"classifier.{index}.weight"
    if _POOL.match(key_in_head):
        return f"parts.{index}.pools.0.p"
    if in_neck := _NECK.match(key_in_head):
        return f"parts.{index}.{'reduction' if value.dim() == 4 else 'neck'}.{in_neck[1]}"
    return key


def _advice_on_images(tensors: Mapping[str, Tensor]) -> str:
    """Say what images the network was trained on, if those were not normalised as usual."""
    found = {key: tensors[key].flatten().tolist() for key in _IMAGENET if key in tensors}
    if all(_is_close(values, _IMAGENET[key]) for key, values in found.items()):
        return ""
    told = (
        f"data.norm_{key.removeprefix('pixel_')}={[round(each / 255, 4) for each in values]}"
        for key, values in found.items()
    )
    return f"Its images were normalised otherwise: set {' '.join(told)}."


def _is_close(values: list[float], usual: tuple[float, ...]) -> bool:
    return len(values) == len(usual) and all(
        abs(value - each) < 0.5 for value, each in zip(values, usual, strict=True)
    )
