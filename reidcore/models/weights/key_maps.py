"""Whose keys a file has: told by what fits a model, by name and by size.

FastReID's checkpoints (He et al., "FastReID: A Pytorch Toolbox for General Instance
Re-identification", 2020) hold a backbone and its heads. Its ResNets have torchvision's keys below
``backbone.``, as ours have, and IBN-Net's norms ``IN`` and ``BN``; its heads are pooling, a
bottleneck (a reduction, a BNNeck, or both) and a classifier. What has no counterpart here keeps its
key, and is then reported as unknown: squeeze-and-excitation without biases and non-local blocks
between the stages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_FASTREID_NECK = re.compile(r"^heads\.(?:bottleneck(?:\.\d+)?|bnneck)\.(\w+)$")
_FASTREID_POOL = re.compile(r"^heads\.pool_layer\.(?:\d+\.)?p$")
_FASTREID_CLASSIFIER = ("heads.weight", "heads.classifier.weight")


@dataclass(frozen=True)
class Arranged:
    """A file's entries under the names that a model would give them.

    Attributes:
        layout: whose keys the file has; empty if they are the model's own.
        tensors: name -> tensor.
        file_keys: name -> the file's key; a tensor that the file only implies has none.
    """

    layout: str
    tensors: Mapping[str, Tensor]
    file_keys: Mapping[str, str]

    def fitting(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names that the model has, in the same size."""
        return [
            name
            for name, value in self.tensors.items()
            if name in wanted and wanted[name].shape == value.shape
        ]


def arrange(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Arranged:
    """Return a file's entries under those names by which most of them fit a model.

    Args:
        found: the file's entries.
        wanted: the model's.
    """
    return max(_arrangements(found, wanted), key=lambda each: len(each.fitting(wanted)))


def _arrangements(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[Arranged]:
    yield _renamed("", found, {key: key for key in found})
    if _is_fastreid(found):
        yield Arranged("FastReID's keys", *_from_fastreid(found))
    file_parts, model_parts = _first_parts(found), _first_parts(wanted)
    for part in file_parts:
        names = {key: key.removeprefix(part) for key in found}
        yield _renamed(f"keys below {part!r}", found, names)
    for part in model_parts:
        if part not in file_parts:
            yield _renamed(f"keys of {part!r}", found, {key: part + key for key in found})


def _renamed(layout: str, found: Mapping[str, Tensor], names: Mapping[str, str]) -> Arranged:
    tensors = {names[key]: value for key, value in found.items()}
    return Arranged(layout, tensors, {names[key]: key for key in found})


def _first_parts(keys: Mapping[str, Tensor]) -> list[str]:
    return list(dict.fromkeys(f"{key.partition('.')[0]}." for key in keys if "." in key))


def _is_fastreid(found: Mapping[str, Tensor]) -> bool:
    """Tell by its keys whether a file is FastReID's."""
    first = {key.partition(".")[0] for key in found}
    return {"backbone", "heads"} <= first


def _from_fastreid(found: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
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
    if key in _FASTREID_CLASSIFIER:
        return "classifier.weight", value
    if _FASTREID_POOL.match(key):
        return "head.pool.p", value
    if in_neck := _FASTREID_NECK.match(key):
        if value.dim() == 4:  # (D, channels, 1, 1)
            return f"head.embedding.{in_neck[1]}", value.flatten(1)
        return f"head.neck.{in_neck[1]}", value
    return key, value
