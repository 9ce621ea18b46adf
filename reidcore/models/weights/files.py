"""Files of weights as they have been published: containers opened, prefixes taken off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from reidcore._files import PathLike
from reidcore._serialization import load_safely
from reidcore.errors import CheckpointError
from reidcore.models.layers import bare_key
from reidcore.models.weights.record import record_of

# Under which key published checkpoints keep the state dict, if they keep more than that.
_STATE_KEYS = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class FileOfWeights:
    """What is in a file.

    Attributes:
        tensors: by their keys, without the prefixes that wrappers put before them.
        model_name: name of the model, if the file tells it.
        record: what the file says beside the weights, if it is of ours.
    """

    tensors: dict[str, Tensor]
    model_name: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)


def read_weights(path: PathLike) -> FileOfWeights:
    """Read a checkpoint, a bare state dict or a safetensors file.

    Raises:
        CheckpointError: if the file cannot be loaded safely or holds no weights.
    """
    checkpoint = load_safely(path)
    tensors = _tensors_in(checkpoint)
    if not tensors:
        raise CheckpointError(
            f"{os.fspath(path)!r} holds no model weights",
            "Give a state dict, or a checkpoint with one under 'state_dict'.",
        )
    record = record_of(checkpoint, path)
    return FileOfWeights(tensors, _model_name_in(record), record)


def _tensors_in(checkpoint: Any) -> dict[str, Tensor]:
    held = checkpoint
    for key in _STATE_KEYS:
        if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get(key), Mapping):
            held = checkpoint[key]
            break
    if not isinstance(held, Mapping):
        return {}
    return {bare_key(str(key)): value for key, value in held.items() if isinstance(value, Tensor)}


def _model_name_in(record: Mapping[str, Any]) -> str:
    parts = (record.get("model"), (record.get("config") or {}).get("model"))
    return next((str(part["name"]) for part in parts if part and "name" in part), "")
