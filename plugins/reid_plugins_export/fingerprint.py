"""The hash by which vectors, files and galleries know a model again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from reidcore.utils import PathLike, load_checkpoint

__all__ = ["tensors_sha256", "weights_sha256"]


def weights_sha256(path: PathLike) -> str:
    """Return the hash of a checkpoint's weights, whatever else the file holds.

    It is of the tensors with their names, types and shapes: what is written beside them, such as a
    calibration, changes nothing.

    Raises:
        CheckpointError: if the file cannot be read.
    """
    held: Any = load_checkpoint(path)
    return tensors_sha256(held.get("state_dict", held) if isinstance(held, Mapping) else {})


def tensors_sha256(tensors: Mapping[str, Any]) -> str:
    """Return the hash of tensors with their names, types and shapes; what is no tensor is none."""
    total = hashlib.sha256()
    for key in sorted(name for name, value in tensors.items() if isinstance(value, Tensor)):
        value = tensors[key].detach().cpu().contiguous()
        total.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
