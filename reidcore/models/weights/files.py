"""Files of weights as they have been published: containers opened, prefixes taken off."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from reidcore._files import PathLike
from reidcore._inert_pickle import Placeholder
from reidcore._serialization import load_safely, not_loaded
from reidcore.errors import CheckpointError, counted, quoted
from reidcore.models.layers import bare_key
from reidcore.models.weights.record import record_of

# Under which key published checkpoints keep the state dict, if they keep more than that.
_STATE_KEYS = ("state_dict", "model_state_dict", "model", "net", "teacher")


@dataclass(frozen=True)
class FileOfWeights:
    """What is in a file.

    Attributes:
        tensors: by their keys, without the prefixes that wrappers put before them.
        model_name: name of the model, if the file tells it.
        record: what the file says beside the weights, if it is of ours.
        not_loaded: classes in it that are none of tensors and plain values.
    """

    tensors: dict[str, Tensor]
    model_name: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    not_loaded: Sequence[str] = ()


def read_weights(path: PathLike) -> FileOfWeights:
    """Read a checkpoint, a bare state dict or a safetensors file.

    Raises:
        CheckpointError: if the file cannot be loaded safely or holds no weights.
    """
    checkpoint = load_safely(path)
    left_out = not_loaded(checkpoint)
    tensors = _tensors_in(checkpoint)
    if not tensors:
        is_object = isinstance(checkpoint, Placeholder)  # which its description names already
        beside = "" if is_object else ", ".join(left_out[:5])
        classes = f", and objects of {beside}, not loaded" if beside else ""
        raise CheckpointError(
            f"{os.fspath(path)!r} holds no model weights: it is {_described(checkpoint)}{classes}",
            "Give a state dict, or a checkpoint with one under 'state_dict'; of a whole network "
            "saved as an object, save model.state_dict() where its class is.",
        )
    record = record_of(checkpoint, path)
    return FileOfWeights(tensors, _model_name_in(record), record, left_out)


def _tensors_in(checkpoint: Any) -> dict[str, Tensor]:
    """Return the entries of the state dict in a file, wherever in it that lies."""
    if not isinstance(checkpoint, Mapping):
        return {}
    sections = {key: held for key, held in checkpoint.items() if isinstance(held, Mapping)}
    held = next((sections[key] for key in _STATE_KEYS if key in sections), checkpoint)
    if held is checkpoint and not _entries(checkpoint):
        # Under a key of its author's choice, if that is the only one with tensors below it.
        found = [section for section in sections.values() if _entries(section)]
        held = found[0] if len(found) == 1 else {}
    return _entries(held)


def _entries(held: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {bare_key(str(key)): value for key, value in held.items() if isinstance(value, Tensor)}


def _described(held: Any) -> str:
    """Say what a file holds, for who expected weights there."""
    if not isinstance(held, Mapping):
        return repr(held) if isinstance(held, Placeholder) else f"a {type(held).__name__}"
    counts = {
        k: f" ({counted(len(_entries(v)), 'tensor')})"
        for k, v in held.items()
        if isinstance(v, dict)
    }
    told = [f"{quoted(key)}{counts.get(key, '')}" for key in list(held)[:6]]
    return f"a mapping of {', '.join(told) or 'nothing'}"


def _model_name_in(record: Mapping[str, Any]) -> str:
    parts = (record.get("model"), (record.get("config") or {}).get("model"))
    return next((str(part["name"]) for part in parts if part and "name" in part), "")
