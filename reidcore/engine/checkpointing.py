"""An engine's checkpoints: what it puts into them, and takes back."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torch.optim.lr_scheduler import LRScheduler

import reidcore
from reidcore._files import PathLike
from reidcore._serialization import OWN_KEY, loads_safely, save_atomically
from reidcore.config.options.test import VALIDATION
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.data.table import SampleTable
from reidcore.engine.agreement import on_main_process
from reidcore.engine.checkpoint import (
    ResumePoint,
    fitting_weights,
    load_checkpoint,
    log_differences,
    resume_file,
    take_up,
)
from reidcore.engine.datamanager import batches_of, note_skipped, skipped_by
from reidcore.engine.hook_results import checked_state
from reidcore.engine.process_group import average_in_place, gather_objects
from reidcore.engine.rng import capture_rng, restore_rng, seed_by
from reidcore.engine.selection import rule_in_words
from reidcore.errors import CheckpointError, PluginDefectError, counted
from reidcore.models.build_args import build_args_of
from reidcore.models.layers import unwrap
from reidcore.models.weights.trained import remember_training
from reidcore.optim.pacing import set_rates
from reidcore.optim.resume import (
    check_kind,
    continue_optimizer,
    continue_schedule,
    fast_forward,
    load_part,
    state_error,
)

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.engine.train_state import TrainState

_log = logging.getLogger(__name__)


def write_checkpoints(
    engine: Engine,
    save_dir: PathLike,
    done: int,
    *,
    step: int = 0,
    rank1: float | None = None,
    is_best: bool = False,
    suffix: str = "",
) -> list[Path]:
    """Write a checkpoint of each of the engine's models; nothing is logged.

    Of several processes all call it, and rank 0 alone writes.

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

    Raises:
        NonFiniteLossError: if a loss that was not looked at yet is not finite.
    """
    engine.accelerator.finite.settle()
    own, best = _own_state(engine, done, step), engine.record.selection.best
    chosen_on = engine.record.selection.chosen_on() if best and best.epoch == done else None
    paths = []
    # The first model's comes last: where it is there, whatever a resume needs is there.
    for name, held in reversed(engine.states.items()):
        state = {
            **held.state_dict(),
            "epoch": done,
            "rank1": rank1,
            OWN_KEY: own
            | {"model": build_args_of(held.model), "averaged": held.averaged is not None},
        }
        path = Path(save_dir) / f"{name}{suffix}.pth.tar-{done}"
        if engine.is_main_process and is_best:
            # First: a run that is killed here finds the other file as it was, and tests again.
            marked = state | {OWN_KEY: state[OWN_KEY] | {"chosen_on": chosen_on}}
            save_atomically(marked, Path(save_dir) / f"{name}-best.pth.tar")
        if engine.is_main_process:
            save_atomically(state, path)
        paths.append(path)
    return paths[::-1]


def load_best(engine: Engine, files: Sequence[Path]) -> int | None:
    """Put the best checkpoint's weights, and the plugins' parts of it, in place.

    Args:
        engine: of a run that is trained to its end.
        files: where the first model's file may be.

    Returns:
        The number of epochs that the weights in place were trained for: those of the last epoch, if
        no test chose one or its file is gone, which is told.
    """
    best, history = engine.record.selection.best, engine.record.history
    last = history[-1]["epoch"] if history else None
    # Other processes than rank 0 may be on a host without the run's folder.
    for file in on_main_process(lambda: [each for each in files if each.is_file()]):
        paths = _sibling_checkpoints(file, list(engine.states))
        held = [on_main_process(partial(load_checkpoint, path)) for path in paths]
        own = held[0].get(OWN_KEY) or {}
        if best is None or (own.get("chosen_on") or {}).get("epoch") != best.epoch:
            continue
        for path, state, each in zip(paths, held, engine.states.values(), strict=True):
            unwrap(each.model).load_state_dict(fitting_weights(state, path, each.model))
            remember_training(each.model, path, own)
        _restore_plugins(engine, own.get("hooks", {}))
        _log.info(
            "Taking %s: epoch %d, the best by %s",
            file,
            best.epoch,
            rule_in_words(own["chosen_on"]),
        )
        return best.epoch
    why = "no test has chosen one" if best is None else f"that of epoch {best.epoch} is gone"
    _log.warning("The last weights are kept, not those of the best checkpoint: %s", why)
    return last


def resume_models(path: PathLike, states: Mapping[str, TrainState]) -> ResumePoint:
    """Load the checkpoints that were written at one moment, one for each model.

    The differences that the point holds are not logged.

    Args:
        path: the file of one of them.
        states: name -> model, optimizer and scheduler, those of the last stage.

    Raises:
        CheckpointError: if a file is missing or is no checkpoint of its model.
    """
    files = _sibling_checkpoints(path, list(states))
    first, *others = [
        resume_file(file, held.model, held.optimizer, held.scheduler)
        for file, held in zip(files, states.values(), strict=True)
    ]
    first.others = others
    for other in others:
        first.differences += other.differences
    return first


class Restored(NamedTuple):
    """Where a run goes on.

    Attributes:
        batches: those of the first epoch that are done already.
        test_due: the epochs that are done end with a test which never came to its end.
    """

    batches: int = 0
    test_due: bool = False


def restore_run(engine: Engine, start_epoch: int) -> Restored:
    """Take back what the checkpoint that was resumed from held beside the models."""
    point, engine.resume_point = engine.resume_point, None
    if point != start_epoch:
        point = None
    _continue_all(engine, point, start_epoch - engine.stage.first)
    if point is None or "rng" not in point.state:
        return Restored()
    state = point.state
    try:
        _restore_ranks(engine, point)
    except (ValueError, TypeError, RuntimeError) as error:
        raise state_error(f"state of the generators in {point.path!r}", error) from error
    if state.get("scaler") and engine.accelerator.scaler.is_enabled():
        what = f"gradient scaler in {point.path!r}"
        load_part(engine.accelerator.scaler, state["scaler"], what)
    for name, saved in state.get("loss_optimizers", {}).items():
        if name in engine.loss_optimizers:
            optimizer = engine.loss_optimizers[name]
            origin = f"{name} of {point.path}"
            check_kind(optimizer, saved, origin)
            log_differences(continue_optimizer(optimizer, saved, origin))
    if accumulated := state.get("accumulated"):
        try:
            engine.accelerator.take_up(accumulated, engine.optimizers)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise state_error(f"gradients in {point.path!r}", error) from error
    if (held_out := state.get("held_out")) and _held_out(engine) not in (None, held_out):
        raise CheckpointError(
            f"the run of {point.path!r} holds other identities out for validation than this one",
            "Resume with its train.seed and test.validation_share, and the same data.",
        )
    engine.record.history = list(state.get("history", ()))
    note_skipped(engine.train_loader, state.get("skipped", {}))
    engine.record.selection.take_up(state.get("selection") or {}, engine.record.history)
    if (batches := batches_of(engine.train_loader)) is not None:
        try:
            batches.load_state_dict(state.get("sampler") or {}, start_epoch)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise state_error(f"sampler in {point.path!r}", error) from error
    _restore_plugins(engine, state.get("hooks", {}))
    has_history = bool(engine.record.history)
    return Restored(_batches_done(engine, point), has_history and bool(state.get("test_due")))


# -- inside ----------------------------------------------------------------------------------------


def _sibling_checkpoints(fpath: PathLike, names: Sequence[str]) -> list[Path]:
    """Return the files of one moment for each of several models, given one of them.

    Raises:
        CheckpointError: if the file's name begins with none of the models' names.
    """
    path = Path(fpath)
    if len(names) == 1:
        return [path]
    own = max((name for name in names if path.name.startswith(name)), key=len, default=None)
    if own is None:
        raise CheckpointError(
            f"{str(path)!r} is named after none of the models {', '.join(names)}",
            "Give the file of one of them, such as model.pth.tar-3.",
        )
    return [path.with_name(name + path.name.removeprefix(own)) for name in names]


def _own_state(engine: Engine, done: int, step: int) -> dict[str, Any]:
    """Return what a checkpoint holds beyond Torchreid's keys; every process calls this."""
    run = engine.active_run
    stage = (None if run else engine.record.last_stage) or engine.stage
    meters = run.meters.state_dict() if run and step else None
    if accumulated := engine.accelerator.accumulated(engine.optimizers):
        # Each process has its own part of a mean, which their mean may stand for.
        average_in_place([each for each in accumulated["gradients"] if each is not None])
    return {
        "version": reidcore.__version__,
        "epoch": done,
        "step": step,
        "models": list(engine.states),
        "stage": {key: getattr(stage, key) for key in ("name", "first", "is_last")},
        "test_due": engine.active_run.tests.is_due if engine.active_run else False,
        "selection": engine.record.selection.state_dict(),
        "held_out": _held_out(engine),
        **_of_all_ranks({"rng": capture_rng(), "meters": meters}),
        "scaler": engine.accelerator.scaler.state_dict(),
        "accumulated": accumulated,
        "loss_optimizers": {
            name: optimizer.state_dict() for name, optimizer in engine.loss_optimizers.items()
        },
        "batch_size": getattr(engine.train_loader, "batch_size", None),
        "sampler": _sampler_state(engine, within_epoch=step > 0),
        "history": engine.record.history,
        "skipped": dict(skipped_by(engine.train_loader)),
        "config": engine.config,
        "preprocessing": engine.data_facts.preprocessing,
        "test": {
            "dist_metric": engine.plan.dist_metric,
            "normalize_feature": engine.plan.normalize_feature,
        },
        "plugins": engine.plugins.record(),
        "step_plan": run.step.as_record() if run else None,
        "hooks": _states_of_plugins(engine),
    }


def _of_all_ranks(own: dict[str, Any]) -> dict[str, Any]:
    """Return rank 0's part of the state, with those of the others beside it."""
    first, *others = gather_objects(own)
    return {**first, "other_ranks": others}


def _restore_ranks(engine: Engine, point: ResumePoint) -> None:
    """Take back this process's own part of the state.

    Other processes than those that wrote it draw anew, by the seed, their number and the position.
    """
    parts, (rank, world) = [point.state, *point.state.get("other_ranks", ())], rank_and_world()
    if world == len(parts):
        restore_rng(parts[rank]["rng"])
    else:
        written = counted(len(parts), "process", "processes")
        _log.info(
            "%s was written by %s, and %d go on: random numbers are drawn anew, those of the data "
            "apart",
            *(point.path, written, world),
        )
        seed_by(engine.data_facts.seed or 0, rank, point, int(point.state.get("step", 0)))
    meters = parts[rank if world == len(parts) else 0].get("meters")
    if engine.active_run and meters:
        engine.active_run.meters.load_state_dict(meters)


def _sampler_state(engine: Engine, within_epoch: bool) -> dict[str, Any]:
    seed = {"seed": engine.data_facts.seed}
    if (batches := batches_of(engine.train_loader)) is None:
        return seed
    state = batches.state_dict(within_epoch)
    if not loads_safely(state):
        raise PluginDefectError(
            f"the sampler {type(batches.sampler).__name__} gave the checkpoint something that "
            "cannot be loaded safely",
            "Let its state_dict return tensors and plain values alone.",
        )
    return seed | state


def _held_out(engine: Engine) -> list[str] | None:
    """Return what identifies the samples held out for validation; None without any."""
    if not engine.data_facts.validation_loader:
        return None
    splits = engine.data_facts.test_dataset.get(VALIDATION, {})
    return [SampleTable.of(splits[split]).fingerprint() for split in sorted(splits)]


def _batches_done(engine: Engine, point: ResumePoint) -> int:
    """Return the batches done in the epoch that was under way, if it has so many."""
    step = int(point.state.get("step", 0))
    then, now = point.state.get("batch_size"), getattr(engine.train_loader, "batch_size", None)
    if step and None not in (then, now) and then != now:
        raise CheckpointError(
            f"{point.path!r} is from within an epoch in batches of {then} images over all "
            f"processes, and they are of {now} now",
            f"Resume with train.batch_size={then}, or from a checkpoint of a whole epoch.",
        )
    if step and step > (batches := len(engine.train_loader)):
        raise CheckpointError(
            f"{point.path!r} records reidcore.step {step}, batches done of an epoch of {batches}",
            "Resume with the data and the batch size it was trained with, or from a checkpoint of "
            "a whole epoch.",
        )
    return step


def _continue_all(engine: Engine, point: ResumePoint | None, done: int) -> None:
    """Put optimizers and schedules where they were, after epochs of the stage under way."""
    of_stage = point if point is not None and point.stage["name"] == engine.stage.name else None
    points = [of_stage, *of_stage.others] if of_stage is not None else []
    for number, held in enumerate(engine.states.values()):
        own = points[number] if number < len(points) else None
        if own is not None and own.unloaded:
            log_differences(take_up(held.optimizer, held.scheduler, own.unloaded, own))
        if held.scheduler is not None:
            # Of several models each has a schedule of its own, which engine.resume loaded.
            saved = of_stage.scheduler if of_stage is not None and len(engine.states) == 1 else None
            _continue(held.scheduler, saved, done, of_stage.path if of_stage is not None else "")


def _continue(scheduler: LRScheduler, saved: Any, start_epoch: int, path: str) -> None:
    """Put a scheduler where it was, if it was not passed to resume_from_checkpoint."""
    if scheduler.last_epoch == start_epoch:
        return
    if saved is None:
        fast_forward(scheduler, start_epoch)
        return
    log_differences(continue_schedule(scheduler, saved, start_epoch, path))
    set_rates(scheduler.optimizer, scheduler.get_last_lr())


def _states_of_plugins(engine: Engine) -> dict[str, Any]:
    states = {}
    for plugin, hook in engine.plugins.one_by_one("reid_checkpoint_save"):
        parts = [checked_state(part, plugin) for part in hook(engine=engine)]
        state = {key: value for part in parts for key, value in part.items()}
        if not loads_safely(state):
            raise PluginDefectError(
                f"plugin {plugin.origin} gave the checkpoint something that cannot be loaded "
                "safely",
                "Let its reid_checkpoint_save return tensors and plain values alone.",
            )
        states[plugin.name] = state
    return states


def _restore_plugins(engine: Engine, states: dict[str, Any]) -> None:
    active = {plugin.name for plugin in engine.plugins.active}
    for name in [name for name, state in states.items() if state and name not in active]:
        _log.warning("Resumed without the plugin %r, which had a part in the checkpoint", name)
    for plugin, hook in engine.plugins.one_by_one("reid_checkpoint_load"):
        if plugin.name in states:
            hook(engine=engine, state=states[plugin.name])
