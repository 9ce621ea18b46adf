"""What an engine puts into its checkpoints, and how it takes it back when it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import reidcore
from reidcore._serialization import OWN_KEY, loads_safely
from reidcore.engine.checkpoint import fast_forward, save_checkpoint, take_pending
from reidcore.engine.hook_results import checked_state
from reidcore.engine.rng import capture_rng, restore_rng
from reidcore.errors import PluginError
from reidcore.models.build_args import form_of
from reidcore.models.wrapping import unwrap

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import LRScheduler

    from reidcore._files import PathLike
    from reidcore.engine.engine import Engine


def write_snapshot(
    engine: Engine,
    save_dir: PathLike,
    done: int,
    *,
    step: int = 0,
    rank1: float | None = None,
    is_best: bool = False,
    suffix: str = "",
) -> list[Path]:
    """Write a checkpoint of each of the engine's models.

    Args:
        engine: the engine.
        save_dir: the folder.
        done: the number of epochs done.
        step: the batches done in the epoch after them.
        rank1: the rank-1 of the first target, in [0, 1], if it was tested.
        is_best: also keep it as ``model-best.pth.tar``.
        suffix: goes between the name and ``.pth.tar``.

    Returns:
        The files' paths.
    """
    own = own_state(engine, done, step)
    paths = []
    for name, model, optimizer, scheduler in engine.held():
        state = {
            "state_dict": unwrap(model).state_dict(),
            "epoch": done,
            "rank1": rank1,
            "optimizer": optimizer.state_dict() if optimizer else None,
            "scheduler": scheduler.state_dict() if scheduler else None,
            OWN_KEY: own | {"model": form_of(model)},
        }
        paths.append(save_checkpoint(state, save_dir, is_best, name=f"{name}{suffix}"))
    return paths


def own_state(engine: Engine, done: int, step: int) -> dict[str, Any]:
    """Return what a checkpoint holds beyond Torchreid's keys."""
    return {
        "version": reidcore.__version__,
        "epoch": done,
        "step": step,
        "rng": capture_rng(),
        "scaler": engine.mechanics.scaler.state_dict(),
        "sampler": {"seed": getattr(engine.datamanager, "seed", None)},
        "history": engine.history,
        "config": engine.config,
        "preprocessing": getattr(engine.datamanager, "preprocessing", None),
        "test": {
            "dist_metric": engine.plan.dist_metric,
            "normalize_feature": engine.plan.normalize_feature,
        },
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in engine.plugins.active
        ],
        "step_plan": engine.step_plan.as_record() if engine.step_plan else None,
        "hooks": _states_of_plugins(engine),
    }


def restore_pending(engine: Engine, start_epoch: int) -> int:
    """Take back what the checkpoint that was resumed from held for this start.

    Returns:
        The batches of the first epoch that are done already.
    """
    step = 0
    for _, model, _, scheduler in engine.held():
        pending = take_pending(model, start_epoch)
        if scheduler is not None:
            _continue_schedule(scheduler, pending.get("scheduler"), start_epoch)
        if "rng" not in pending:
            continue
        restore_rng(pending["rng"])
        if pending["scaler"] and engine.mechanics.scaler.is_enabled():
            engine.mechanics.scaler.load_state_dict(pending["scaler"])
        engine.history = list(pending.get("history", ()))
        _restore_plugins(engine, pending["hooks"])
        step = int(pending["step"])
    return step


def _continue_schedule(scheduler: LRScheduler, saved: Any, start_epoch: int) -> None:
    """Put a scheduler where it was, whether or not it was passed to resume_from_checkpoint."""
    if scheduler.last_epoch == start_epoch:
        return
    if saved is None:
        fast_forward(scheduler, start_epoch)
        return
    scheduler.load_state_dict(saved)
    groups = scheduler.optimizer.param_groups
    for group, lr in zip(groups, scheduler.get_last_lr(), strict=True):
        group["lr"] = lr


def _states_of_plugins(engine: Engine) -> dict[str, Any]:
    states = {}
    for plugin in engine.plugins.active:
        if "reid_checkpoint_save" not in plugin.hooks:
            continue
        hook = engine.plugins.subset_hook("reid_checkpoint_save", [plugin])
        parts = [checked_state(part, engine.plugins, plugin.name) for part in hook(engine=engine)]
        state = {key: value for part in parts for key, value in part.items()}
        if not loads_safely(state):
            raise PluginError(
                f"plugin {plugin.origin} gave the checkpoint something that cannot be loaded "
                "safely",
                "Let its reid_checkpoint_save return tensors and plain values alone.",
            )
        states[plugin.name] = state
    return states


def _restore_plugins(engine: Engine, states: dict[str, Any]) -> None:
    for plugin in engine.plugins.active:
        if plugin.name in states and "reid_checkpoint_load" in plugin.hooks:
            hook = engine.plugins.subset_hook("reid_checkpoint_load", [plugin])
            hook(engine=engine, state=states[plugin.name])
