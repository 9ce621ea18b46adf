"""A foreign checkpoint: its tensors, and the few numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from torch import Tensor

from reidcore.errors import CheckpointError
from reidcore.utils import load_checkpoint

Framework: TypeAlias = Literal["Torchreid", "FastReID"]

_STATES = ("state_dict", "model")
_WRAPPERS = ("module.", "_orig_mod.")
_HEADS = ("heads", "b1_head")


@dataclass(frozen=True)
class ForeignCheckpoint:
    """What is in a file.

    Attributes:
        path: the file.
        framework: whose it is, by its keys.
        tensors: by their keys, without what wrappers put before them.
        epoch: how many epochs were done; 0 if it does not say.
        rank1: the rank-1 that it records, in [0, 1].
    """

    path: Path
    framework: Framework
    tensors: Mapping[str, Tensor]
    epoch: int
    rank1: float | None

    @property
    def num_classes(self) -> int:
        """How many identities the classifier tells apart; 1 if the file has none."""
        for key, value in self.tensors.items():
            is_classifier = key.endswith("classifier.weight") or key in ("heads.weight",)
            if value.dim() == 2 and (is_classifier or key.startswith("classifier")):
                return len(value)
        of_parts = self.tensors.get("b1_head.weight")
        return 1 if of_parts is None else len(of_parts)


def read_foreign(path: Path) -> ForeignCheckpoint:
    """Read a checkpoint of Torchreid's or FastReID's, without executing anything that it holds.

    Raises:
        CheckpointError: if the file is missing, damaged or malicious, holds no weights, or is of
            reidcore already.
    """
    held = load_checkpoint(path)
    if "reidcore" in held:
        raise CheckpointError(
            f"{str(path)!r} is a checkpoint of reidcore", "Use it as it is: reidcore test FILE."
        )
    state = next((held[key] for key in _STATES if isinstance(held.get(key), Mapping)), held)
    tensors = {_bare(str(k)): value for k, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(
            f"{str(path)!r} holds no weights: its keys are {', '.join(map(str, list(held)[:6]))}",
            "Give a checkpoint with a state dict under 'state_dict' or 'model'.",
        )
    parts = {key.partition(".")[0] for key in tensors}
    framework: Framework = "FastReID" if parts & {*_HEADS, "backbone"} else "Torchreid"
    return ForeignCheckpoint(path, framework, tensors, _epoch(held), _rank1(held))


def _bare(key: str) -> str:
    for prefix in _WRAPPERS:
        key = key.removeprefix(prefix)
    return key


def _epoch(held: Mapping[str, Any]) -> int:
    found = held.get("epoch", 0)
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return max(0, found) if is_number else 0


def _rank1(held: Mapping[str, Any]) -> float | None:
    found = held.get("rank1")
    try:
        value = float(found) if found is not None else -1.0
    except (TypeError, ValueError):
        return None
    return value if 0 <= value <= 1 else None
