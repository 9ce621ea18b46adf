"""Checkpoints: written whole, read safely, resumed as if the run had never stopped.

A file holds Torchreid's keys (``state_dict``, ``epoch``, ``rank1``, ``optimizer``, ``scheduler``)
and, under ``reidcore``, what else a run needs to go on bit for bit (``checkpointing.py``).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore._files import PathLike
from reidcore._logging import configure_if_bare
from reidcore._serialization import OWN_KEY, load_safely, save_atomically
from reidcore.engine.stages import MAIN
from reidcore.errors import CheckpointError, counted
from reidcore.models.layers import bare_key, kind_fault, unwrap
from reidcore.models.weights.record import check_training_state
from reidcore.models.weights.trained import remember_training
from reidcore.optim.resume import check_kind, continue_optimizer, continue_schedule

_log = logging.getLogger(__name__)


class ResumePoint(int):
    """The number of epochs done, with what else its checkpoint holds for the run from there.

    Attributes:
        state: what a checkpoint keeps under ``reidcore``.
        scheduler: the scheduler's state, for a run whose scheduler was not loaded yet.
        differences: where the optimizer and the scheduler have other settings than they had, a
            line each.
        path: the checkpoint.
        unloaded: the optimizer's and the scheduler's states where they are of a stage before the
            last.
        others: those of the other models that were resumed with this one.
    """

    state: Mapping[str, Any]
    scheduler: Any
    differences: list[str]
    path: str
    unloaded: Mapping[str, Any]
    others: Sequence[ResumePoint]

    @property
    def stage(self) -> Mapping[str, Any]:
        """The stage that was under way: its ``name``, ``first`` epoch and ``is_last``."""
        only = {"name": MAIN, "first": 0, "is_last": True}
        found: Mapping[str, Any] = self.state.get("stage") or only
        return found

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any], path: PathLike) -> ResumePoint:
        """Return the point that a checkpoint was written at."""
        point = cls(checkpoint["epoch"])
        point.path = os.fspath(path)
        point.state = checkpoint.get(OWN_KEY) or {}
        point.scheduler = checkpoint.get("scheduler")
        point.differences, point.unloaded, point.others = [], {}, []
        return point


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
    if is_best:
        save_atomically(kept, path.with_name(f"{name}-best.pth.tar"))
    save_atomically(kept, path)
    announce([path])
    return path


def announce(paths: Sequence[Path]) -> None:
    """Say that checkpoints were written."""
    for path in paths:
        _log.info("Checkpoint saved to %s", path)


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
) -> ResumePoint:
    """Load weights, optimizer and scheduler, and let the next run go on from there.

    The optimizer and the scheduler take up what they have learnt and how far they have come. Their
    settings (rate, weight decay, length of the schedule) stay those that they were made with; what
    differs from the checkpoint is logged. A scheduler with other settings, or of another kind, goes
    on at its own value for that epoch. Of a checkpoint of a stage before the last, whose optimizer
    is another, they take up nothing.

    Whatever else the run needs (random state, the scheduler if it was not passed, the plugins' own
    parts) comes with the number that is returned: give it to ``engine.run(start_epoch=...)``.

    Args:
        fpath: the checkpoint.
        model: takes ``state_dict``, with or without the prefix ``module.``.
        optimizer: takes ``optimizer``.
        scheduler: takes ``scheduler``.

    Returns:
        The number of epochs done, which is the run's ``start_epoch``.

    Raises:
        CheckpointError: if the file is no checkpoint of this model.
    """
    point = resume_file(fpath, model, optimizer, scheduler)
    log_differences(point.differences)
    return point


def log_differences(differences: Sequence[str]) -> None:
    """Say by which settings a run goes on that are not those of its checkpoint."""
    for difference in differences:
        _log.info("Resumed with other settings: %s", difference)


def resume_file(
    fpath: PathLike, model: nn.Module, optimizer: Optimizer | None, scheduler: LRScheduler | None
) -> ResumePoint:
    """Load one model's checkpoint; the training state only if it is of the last stage.

    That of a stage before is kept in the point, for the optimizer that its ``begin`` makes.
    """
    configure_if_bare()
    checkpoint = load_checkpoint(fpath)
    weights = fitting_weights(checkpoint, fpath, model)
    point = ResumePoint.of(checkpoint, fpath)
    if point.stage["is_last"]:
        point.differences = take_up(optimizer, scheduler, checkpoint, point)
    else:
        point.unloaded = {name: checkpoint.get(name) for name in ("optimizer", "scheduler")}
    unwrap(model).load_state_dict(weights)
    remember_training(model, fpath, point.state)
    rank1 = checkpoint.get("rank1")
    reached = f", rank-1 {float(rank1):.1%}" if rank1 is not None else ""
    done = counted(point, "epoch")
    _log.info("Resuming from %s: %s done%s", os.fspath(fpath), done, reached)
    return point


def take_up(
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    saved: Mapping[str, Any],
    point: ResumePoint,
) -> list[str]:
    """Load what an optimizer and a scheduler have learnt; return the differences in settings."""
    differences = []
    if optimizer is not None and saved.get("optimizer"):
        check_kind(optimizer, saved["optimizer"], point.path)
        differences += continue_optimizer(optimizer, saved["optimizer"], point.path)
    if scheduler is not None and saved.get("scheduler"):
        done = point - int(point.stage["first"])
        differences += continue_schedule(scheduler, saved["scheduler"], done, point.path)
    return differences


def without_prefixes(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return weights without the prefixes that wrappers put before their names."""
    return {bare_key(key): value for key, value in state_dict.items()}


def fitting_weights(
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
        if (fault := kind_fault(value, wanted[own_key[key]])) is not None:
            raise CheckpointError(
                f"{os.fspath(fpath)!r} has {key} {fault}", "Give the checkpoint as it was written."
            )
    return {own_key[key]: value for key, value in given.items()}


def _check_layout(checkpoint: dict[str, Any], fpath: PathLike) -> None:
    if "state_dict" not in checkpoint or "epoch" not in checkpoint:
        raise CheckpointError(
            f"{os.fspath(fpath)!r} holds no training state to resume from",
            "If it holds weights alone, use load_pretrained_weights or model.load_weights.",
        )
    check_training_state(checkpoint, fpath)
