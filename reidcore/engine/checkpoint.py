"""Checkpoints: written whole, read safely, resumed as if the run had never stopped.

A file holds Torchreid's keys (``state_dict``, ``epoch``, ``rank1``, ``optimizer``, ``scheduler``)
and, under ``reidcore``, what else a run needs to go on bit for bit.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore._files import PathLike
from reidcore._logging import configure_if_bare
from reidcore._serialization import OWN_KEY, load_safely, save_atomically
from reidcore.errors import CheckpointError
from reidcore.models.wrapping import bare_key, unwrap

_log = logging.getLogger(__name__)

# What resume_from_checkpoint read beyond weights and optimizer, until the engine's run takes it.
_pending: WeakKeyDictionary[nn.Module, dict[str, Any]] = WeakKeyDictionary()


def save_checkpoint(
    state: Mapping[str, Any],
    save_dir: PathLike,
    is_best: bool = False,
    remove_module_from_keys: bool = False,
    name: str = "model",
) -> Path:
    """Write ``save_dir/model.pth.tar-<epoch>``.

    Args:
        state: has ``state_dict`` and ``epoch``, the number of epochs done.
        save_dir: the folder, created if it is missing.
        is_best: also write it to ``model-best.pth.tar``.
        remove_module_from_keys: take the prefix ``module.`` off the weights' names.
        name: stands for ``model`` in the file's name.

    Returns:
        The file's path.

    Raises:
        UserError: if it cannot be written; an older file stays as it was.
    """
    kept = dict(state)
    if remove_module_from_keys:
        kept["state_dict"] = without_prefixes(kept["state_dict"])
    path = Path(save_dir) / f"{name}.pth.tar-{kept['epoch']}"
    save_atomically(kept, path)
    _log.info("Checkpoint saved to %s", path)
    if is_best:
        save_atomically(kept, path.with_name(f"{name}-best.pth.tar"))
    return path


def load_checkpoint(fpath: PathLike) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without executing anything it holds.

    Raises:
        CheckpointError: if it is missing, corrupt, foreign or malicious.
    """
    checkpoint = load_safely(fpath)
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"{os.fspath(fpath)!r} holds a {type(checkpoint).__name__}, not a checkpoint",
            "Give a file written by save_checkpoint.",
        )
    return checkpoint


def resume_from_checkpoint(
    fpath: PathLike,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
) -> int:
    """Load weights, optimizer and scheduler, and make the next run go on from there.

    Whatever else the run needs (random state, the scheduler if it was not passed, the plugins' own
    parts) is kept until an engine with this model runs with the returned ``start_epoch``.

    Args:
        fpath: the checkpoint.
        model: takes ``state_dict``, with or without the prefix ``module.``.
        optimizer: takes ``optimizer``.
        scheduler: takes ``scheduler``.

    Returns:
        The number of epochs done: the run's ``start_epoch``.

    Raises:
        CheckpointError: if the file is no checkpoint of this model.
    """
    configure_if_bare()
    checkpoint = load_checkpoint(fpath)
    weights = _fitting_weights(checkpoint, fpath, model)
    if optimizer is not None and checkpoint.get("optimizer"):
        _check_kind(optimizer, checkpoint["optimizer"], fpath)
        _load_part(optimizer, checkpoint["optimizer"], "optimizer", fpath)
    if scheduler is not None and checkpoint.get("scheduler"):
        _load_part(scheduler, checkpoint["scheduler"], "scheduler", fpath)
    unwrap(model).load_state_dict(weights)
    epoch = int(checkpoint["epoch"])
    _pending[unwrap(model)] = {**checkpoint.get(OWN_KEY, {}), "epoch": epoch} | {
        "scheduler": checkpoint.get("scheduler")
    }
    rank1 = checkpoint.get("rank1")
    reached = f", rank-1 {float(rank1):.1%}" if rank1 is not None else ""
    _log.info("Resuming from %s: %d epochs done%s", os.fspath(fpath), epoch, reached)
    return epoch


def sibling_checkpoints(fpath: PathLike, names: Sequence[str]) -> list[Path]:
    """Return the files of one moment for each of several models, given one of them.

    Raises:
        CheckpointError: if the file's name begins with none of the models' names.
    """
    path = Path(fpath)
    if len(names) == 1:
        return [path]
    own = next((name for name in names if path.name.startswith(name)), None)
    if own is None:
        raise CheckpointError(
            f"{str(path)!r} is named after none of the models {', '.join(names)}",
            "Give the file of one of them, such as model.pth.tar-3.",
        )
    return [path.with_name(name + path.name.removeprefix(own)) for name in names]


def take_pending(model: nn.Module, start_epoch: int) -> dict[str, Any]:
    """Return, once, what a checkpoint held beyond weights and optimizer for this start."""
    kept = _pending.pop(unwrap(model), {})
    return kept if kept.get("epoch") == start_epoch else {}


def without_prefixes(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return weights without the prefixes that wrappers put before their names."""
    return {bare_key(key): value for key, value in state_dict.items()}


def fast_forward(scheduler: LRScheduler, epochs: int) -> None:
    """Bring a scheduler and its learning rates to where they are after ``epochs`` epochs.

    Raises:
        CheckpointError: if the scheduler is made of others, whose steps cannot be repeated.
    """
    if not hasattr(scheduler, "base_lrs") or hasattr(scheduler, "_schedulers"):
        raise CheckpointError(
            f"{type(scheduler).__name__} cannot be brought to epoch {epochs} without its state",
            "Pass the scheduler to resume_from_checkpoint.",
        )
    for group, base_lr in zip(scheduler.optimizer.param_groups, scheduler.base_lrs, strict=True):
        group["lr"] = base_lr
    # Its first step is one of a kind: it sets the rate of epoch 0.
    scheduler.last_epoch = -1
    scheduler._initial_step()
    # An optimizer that has not stepped yet would make the scheduler warn about the order of calls.
    scheduler.optimizer._opt_called = True  # type: ignore[attr-defined]
    for _ in range(epochs):
        scheduler.step()


def _fitting_weights(
    checkpoint: dict[str, Any], fpath: PathLike, model: nn.Module
) -> dict[str, Any]:
    """Return a checkpoint's weights under the model's own names, if they are all there."""
    _check_layout(checkpoint, fpath)
    wanted = unwrap(model).state_dict()
    # A network may itself have a child named "module": then its own keys lose that prefix as well.
    own_key = {bare_key(key): key for key in wanted}
    given = without_prefixes(checkpoint["state_dict"])
    odd = sorted(own_key.keys() ^ given.keys())
    if odd:
        raise CheckpointError(
            f"{os.fspath(fpath)!r} is a checkpoint of another model: {len(odd)} names differ, "
            f"e.g. {odd[0]!r}",
            "Build the model it was trained with, or use load_pretrained_weights.",
        )
    for key, value in given.items():
        if value.shape != wanted[own_key[key]].shape:
            raise CheckpointError(
                f"{os.fspath(fpath)!r} has {key} of size {tuple(value.shape)}, the model "
                f"{tuple(wanted[own_key[key]].shape)}",
                "Train on the same identities, or use load_pretrained_weights.",
            )
    return {own_key[key]: value for key, value in given.items()}


def _check_layout(checkpoint: dict[str, Any], fpath: PathLike) -> None:
    if "state_dict" not in checkpoint or "epoch" not in checkpoint:
        raise CheckpointError(
            f"{os.fspath(fpath)!r} holds no training state to resume from",
            "If it holds weights alone, use load_pretrained_weights or model.load_weights.",
        )
    weights, epoch = checkpoint["state_dict"], checkpoint["epoch"]
    is_state = isinstance(weights, Mapping) and all(
        isinstance(value, Tensor) for value in weights.values()
    )
    is_epoch = isinstance(epoch, int) and epoch >= 0
    if not (is_state and is_epoch and isinstance(checkpoint.get(OWN_KEY, {}), Mapping)):
        raise CheckpointError(
            f"{os.fspath(fpath)!r} is laid out unlike a checkpoint",
            "Give a file written by save_checkpoint.",
        )


# The settings by which kinds of optimizer differ; others come and go with torch's versions.
_TELLING_SETTINGS = {"betas", "momentum", "alpha", "dampening"}


def _check_kind(optimizer: Optimizer, state: Any, fpath: PathLike) -> None:
    """Refuse the state of another kind of optimizer before anything is loaded."""
    groups = state.get("param_groups") if isinstance(state, Mapping) else None
    saved = set(groups[0]) if groups else set()
    if (saved ^ set(optimizer.param_groups[0])) & _TELLING_SETTINGS:
        raise CheckpointError(
            f"the optimizer in {os.fspath(fpath)!r} is no {type(optimizer).__name__}",
            "Set train.optim to what it was trained with.",
        )


def _load_part(part: Optimizer | LRScheduler, state: Any, label: str, fpath: PathLike) -> None:
    try:
        part.load_state_dict(state)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"the {label} in {os.fspath(fpath)!r} does not fit: {error}",
            f"Build the {label} it was trained with.",
        ) from error
