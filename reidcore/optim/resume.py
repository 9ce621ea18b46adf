"""An optimizer and its schedule, continued from a checkpoint under the settings of this run.

What has been learnt (the moments of the gradients, the place on the schedule) comes from the
checkpoint. What was asked for (rates, decays, the length and the kind of the schedule) is what the
optimizer and the scheduler were made with: their settings are kept, and each one that differs from
the checkpoint's is told.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore.errors import CheckpointError, counted
from reidcore.optim.pacing import PacedScheduler, set_rates
from reidcore.optim.saved_state import optimizer_faults, scheduler_faults

# The settings by which kinds of optimizer differ; others come and go with torch's versions.
_TELLING_SETTINGS = {"betas", "momentum", "alpha", "dampening"}
# How the arithmetic is carried out, which changes no result beyond rounding.
_IMPLEMENTATION = {"foreach", "fused", "capturable", "differentiable"}
# What schedulers keep in an optimizer's groups; some cycle the momentum with the rate.
_SCHEDULED = {"lr", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"}
_CYCLED = {"momentum", "betas"}


def check_kind(optimizer: Optimizer, state: Any, origin: str) -> None:
    """Refuse the state of another kind of optimizer.

    Args:
        optimizer: what the state is for.
        state: its ``state_dict`` in a checkpoint.
        origin: the checkpoint, for messages.

    Raises:
        CheckpointError: the state is of another kind.
    """
    groups = state.get("param_groups") if isinstance(state, Mapping) else None
    if not isinstance(groups, list) or not groups or not isinstance(groups[0], Mapping):
        return  # which is a fault of its own
    if len(groups) != len(optimizer.param_groups):
        raise CheckpointError(
            f"the optimizer in {origin!r} has {counted(len(groups), 'group')} of parameters, this "
            f"one {len(optimizer.param_groups)}",
            "Set train.groups, train.layer_decay, train.staged_lr and the losses as they were, or "
            "begin anew from its weights: model.load_weights.",
        )
    saved = set(groups[0])
    own = optimizer.param_groups[0]
    is_other = (saved ^ set(own)) & _TELLING_SETTINGS
    if is_other or groups[0].get("amsgrad", False) != own.get("amsgrad", False):
        raise CheckpointError(
            f"the optimizer in {origin!r} is no {type(optimizer).__name__}"
            + (" of these settings (amsgrad)" if not is_other else ""),
            "Set train.optim to what it was trained with, or begin anew from its weights: "
            "model.load_weights.",
        )


def continue_optimizer(optimizer: Optimizer, state: Any, origin: str) -> list[str]:
    """Load what an optimizer has learnt, and keep the settings that it was made with.

    The rate goes on where it was, unless the optimizer was made with another one to begin with.

    Args:
        optimizer: over the parameters that it had when the state was saved; changed in place.
        state: its ``state_dict`` in a checkpoint.
        origin: the checkpoint, for messages.

    Returns:
        A line for each setting that differs.

    Raises:
        CheckpointError: the state is of other parameters or of another kind of optimizer.
    """
    made_with = [_settings(group) for group in optimizer.param_groups]
    what = f"optimizer in {origin!r}"
    _refuse(what, optimizer_faults(optimizer, state))
    load_part(optimizer, state, what)
    differences: dict[str, None] = {}  # those that groups share are told once
    for group, own in zip(optimizer.param_groups, made_with, strict=True):
        saved = _settings(group)
        kept = _kept_from(saved, own)
        for name in [name for name in own if name not in kept]:
            group[name] = own[name]
        differences |= dict.fromkeys(_differences(own, saved, kept))
    return list(differences)


def continue_schedule(
    scheduler: LRScheduler, saved: Any, epochs: int, origin: str = "the checkpoint"
) -> list[str]:
    """Bring a scheduler to where it is after ``epochs`` epochs.

    It takes up its saved state if that is of the same kind and made with the same settings. If not,
    the schedule is the scheduler's own, repeated up to that epoch.

    Args:
        scheduler: changed in place, and with it the rates of its optimizer.
        saved: its ``state_dict`` in a checkpoint.
        epochs: the number of epochs done.
        origin: the checkpoint, for messages.

    Returns:
        A line that says what differs, or none.

    Raises:
        CheckpointError: the state is damaged, or the schedule can be continued neither way.
    """
    what = f"scheduler in {origin!r}"
    _refuse(what, scheduler_faults(scheduler, saved))
    difference = _other_schedule(scheduler, saved)
    if difference is None:
        load_part(scheduler, saved, what)
        return []
    if hasattr(scheduler, "_schedulers") and scheduler.last_epoch == 0:
        _repeat(scheduler, epochs, scheduler.get_last_lr())
    else:
        fast_forward(scheduler, epochs)
    return [f"the schedule is built anew and continued at epoch {epochs}: {difference}"]


def fast_forward(scheduler: LRScheduler, epochs: int) -> None:
    """Bring a scheduler and its learning rates to where they are after ``epochs`` epochs.

    Raises:
        CheckpointError: if the scheduler is made of others, whose steps cannot be repeated.
    """
    _restart(scheduler, epochs)
    _repeat(scheduler, epochs, scheduler.get_last_lr())


def load_part(part: Optimizer | LRScheduler | GradScaler, state: Any, what: str) -> None:
    """Load a saved state.

    Args:
        part: takes it.
        state: its ``state_dict`` in a checkpoint.
        what: names the part and the checkpoint, for messages.

    Raises:
        CheckpointError: the state is none of such a part.
    """
    try:
        part.load_state_dict(state)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise state_error(what, error) from error


def state_error(what: str, why: object) -> CheckpointError:
    """Return the error of a saved state that does not fit, and why."""
    return CheckpointError(
        f"the {what} does not fit: {why}",
        "Build what it was trained with, and give the checkpoint as it was written.",
    )


# -- inside ----------------------------------------------------------------------------------------


def _refuse(what: str, faults: Iterator[str]) -> None:
    """Raise the first fault in a saved state, if there is one."""
    if (fault := next(faults, None)) is not None:
        raise state_error(what, fault)


def _restart(scheduler: LRScheduler, epochs: int) -> None:
    """Bring a scheduler and its rates back to epoch 0, on the way to a later one."""
    if isinstance(scheduler, PacedScheduler):
        _restart(scheduler.scheduler, epochs)
        scheduler.restart()
        return
    if not hasattr(scheduler, "base_lrs") or hasattr(scheduler, "_schedulers"):
        raise CheckpointError(
            f"{type(scheduler).__name__} cannot be brought to epoch {epochs} without its state",
            "Build it as it was built for the checkpoint, and pass it to resume_from_checkpoint.",
        )
    set_rates(scheduler.optimizer, scheduler.base_lrs)
    # Its first step is one of a kind: it sets the rate of epoch 0.
    scheduler.last_epoch = -1
    scheduler._initial_step()


def _repeat(scheduler: LRScheduler, epochs: int, rates: Sequence[Any]) -> None:
    """Take a scheduler's steps again, from the rates of its epoch 0."""
    set_rates(scheduler.optimizer, rates)
    # An optimizer that has not stepped yet would make the scheduler warn about the order of calls.
    scheduler.optimizer._opt_called = True  # type: ignore[attr-defined]
    for _ in range(epochs):
        scheduler.step()


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def _kept_from(saved: Mapping[str, Any], own: Mapping[str, Any]) -> set[str]:
    """Name the settings that go on from where they were, as a schedule has moved them."""
    if _first_rate(saved) != _first_rate(own):
        return set()
    return _SCHEDULED | (_CYCLED if "max_momentum" in own else set())


def _first_rate(settings: Mapping[str, Any]) -> Any:
    return settings.get("initial_lr", settings.get("lr"))


def _differences(own: Mapping[str, Any], saved: Mapping[str, Any], kept: set[str]) -> Iterator[str]:
    if _first_rate(own) != _first_rate(saved):
        yield f"lr is {_first_rate(own)}, in the checkpoint {_first_rate(saved)}"
    silent = kept | _SCHEDULED | _IMPLEMENTATION
    for name in [name for name in own if name in saved and name not in silent]:
        if own[name] != saved[name]:
            yield f"{name} is {own[name]}, in the checkpoint {saved[name]}"


def _other_schedule(scheduler: LRScheduler, saved: Any) -> str | None:
    """Say how a saved schedule differs from a scheduler's own; None if it does not."""
    kind, own = type(scheduler).__name__, scheduler.state_dict()
    if not isinstance(saved, Mapping) or _public(saved) != _public(own):
        return f"{kind}, in the checkpoint another"
    for name in (*_arguments(scheduler), "base_lrs"):
        if own.get(name) != saved.get(name):
            shown = "lr" if name == "base_lrs" else name
            return f"{shown} of {kind} is {own[name]}, in the checkpoint {saved[name]}"
    parts, saved_parts = getattr(scheduler, "_schedulers", ()), saved.get("_schedulers", ())
    if len(parts) != len(saved_parts):
        return f"{kind} of {counted(len(parts), 'part')}, in the checkpoint of {len(saved_parts)}"
    return next(filter(None, map(_other_schedule, parts, saved_parts)), None)


def _public(state: Mapping[str, Any]) -> set[str]:
    # Torch once kept there whether a scheduler printed its rates.
    return {name for name in state if not name.startswith("_") and name != "verbose"}


def _arguments(scheduler: LRScheduler) -> list[str]:
    """Name what a scheduler is made with; the rest of its state is how far it has come."""
    parameters = inspect.signature(type(scheduler).__init__).parameters
    return [name for name in parameters if name not in ("self", "optimizer", "last_epoch")]
