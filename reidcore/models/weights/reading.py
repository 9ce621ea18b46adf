"""Files of weights as they have been published: containers opened, prefixes taken off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from reidcore.errors import CheckpointError
from reidcore.files import PathLike
from reidcore.models.wrapping import bare_key
from reidcore.serialization import load_safely

# Under which key published checkpoints keep the state dict, if they keep more than that.
_STATE_KEYS = ("state_dict", "model_state_dict", "model")


def read_weights(path: PathLike) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint or a bare state dict, under their bare keys.

    Raises:
        CheckpointError: if the file cannot be loaded safely or holds no weights.
    """
    return state_dict_in(load_safely(path), path)


def state_dict_in(checkpoint: Any, source: PathLike) -> dict[str, Tensor]:
    """Return the tensors of what a file held, under their bare keys.

    Raises:
        CheckpointError: if there are none.
    """
    held = checkpoint
    for key in _STATE_KEYS:
        if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get(key), Mapping):
            held = checkpoint[key]
            break
    tensors = (
        {bare_key(str(key)): value for key, value in held.items() if isinstance(value, Tensor)}
        if isinstance(held, Mapping)
        else {}
    )
    if not tensors:
        raise CheckpointError(
            f"{os.fspath(source)!r} holds no model weights",
            "Give a state dict, or a checkpoint with one under 'state_dict'.",
        )
    return tensors
