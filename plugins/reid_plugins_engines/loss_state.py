"""What losses learn, such as centres: moved to the engine's device, and kept in checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from reidcore.engine import Engine
from reidcore.errors import CheckpointError

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")


def learning_losses(engine: Engine) -> dict[str, nn.Module]:
    """Return the losses that hold parameters or buffers, each once, by the name of its term."""
    found: dict[str, nn.Module] = {}
    for name, (_, criterion) in engine.terms.items():
        is_new = all(criterion is not other for other in found.values())
        if isinstance(criterion, nn.Module) and is_new and criterion.state_dict():
            found[name] = criterion
    return found


def place(engine: Engine) -> None:
    """Move the losses to the engine's device, with what optimizers hold of them."""
    for criterion in learning_losses(engine).values():
        engine.accelerator.place(criterion, *engine.optimizers)


def restore(engine: Engine, states: Mapping[str, Any]) -> None:
    """Give the losses back what they had learnt, and buffers that grow, such as queues, their size.

    Args:
        engine: has the losses.
        states: state dicts by the names of the terms.

    Raises:
        CheckpointError: if one has other parameters, or parameters of another size.
    """
    for name, criterion in learning_losses(engine).items():
        if name not in states:
            _log.warning("The checkpoint has nothing of the loss %r, which begins anew", name)
            continue
        _resize_buffers(criterion, states[name])
        try:
            criterion.load_state_dict(states[name])
        except RuntimeError as error:
            raise CheckpointError(
                f"the loss {name!r} in the checkpoint does not fit: {error}",
                "Train with the losses, and on the identities, that it was trained with.",
            ) from error


def _resize_buffers(criterion: nn.Module, state: Mapping[str, Any]) -> None:
    """Make room for buffers of another size, where everything else fits."""
    sizes = {path: kept.shape for path, kept in state.items() if isinstance(kept, Tensor)}
    if any(sizes.get(path) != each.shape for path, each in criterion.named_parameters()):
        return
    for path, buffer in list(criterion.named_buffers()):
        if path in sizes and sizes[path] != buffer.shape:
            owner, _, name = path.rpartition(".")
            setattr(criterion.get_submodule(owner), name, buffer.new_empty(sizes[path]))
