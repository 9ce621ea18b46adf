"""Build an optimizer or a scheduler by its registered name, under Torchreid's argument names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore._validation import has_methods
from reidcore.config.options import OptimOptions, TrainOptions
from reidcore.errors import ConfigError
from reidcore.optim.groups import planned_groups
from reidcore.optim.pacing import PacedScheduler
from reidcore.plugins import current_plugins
from reidcore.registry import Component, choose, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def build_optimizer(
    model: nn.Module,
    optim: str = "adam",
    lr: float = 0.0003,
    weight_decay: float = 5e-04,
    momentum: float = 0.9,
    sgd_dampening: float = 0,
    sgd_nesterov: bool = False,
    rmsprop_alpha: float = 0.99,
    adam_beta1: float = 0.9,
    adam_beta2: float = 0.99,
    staged_lr: bool = False,
    new_layers: str | Iterable[str] = "",
    base_lr_mult: float = 0.1,
    plugins: Plugins | None = None,
    section: Mapping[str, Any] | None = None,
    *,
    groups: Mapping[str, Mapping[str, float]] | None = None,
    layer_decay: float | None = None,
) -> Optimizer:
    """Build an optimizer over a model's parameters.

    Args:
        model: the network, bare or data-parallel.
        optim: a registered name, such as adam, amsgrad, radam, adamw, sgd, rmsprop, or a plugin's.
        lr: learning rate.
        weight_decay: L2 penalty (decoupled decay for radam and adamw).
        momentum: for sgd and rmsprop.
        sgd_dampening: dampening of sgd's momentum.
        sgd_nesterov: Nesterov momentum for sgd.
        rmsprop_alpha: smoothing constant of rmsprop.
        adam_beta1: decay of the first moment, for adam and its kin.
        adam_beta2: decay of the second moment.
        staged_lr: train all but ``new_layers`` at ``lr * base_lr_mult``.
        new_layers: dotted names of the layers that start from random weights.
        base_lr_mult: factor on the base layers' learning rate.
        plugins: where to look the name up; the current plugins by default.
        section: the optimizer's own options under their own names; they win over those above.
        groups: rules for some parameters, as ``train.groups`` has them: ``bias``, ``norm``,
            ``new_layers`` or a pattern -> ``lr_mult`` and ``weight_decay``.
        layer_decay: factor on the learning rate from each block of the network to the one before.

    Raises:
        UnknownNameError: no such optimizer, or no such layer.
        ConfigError: an option is unknown or out of its range.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, not {type(model).__name__}")
    known = find("optimizers", optim, plugins).options
    # Only what an entry lists among its options' spellings is handed on, so that these defaults
    # never override those of a plugin's optimizer that happens to share a name.
    spelled = {
        "momentum": momentum,
        "sgd_dampening": sgd_dampening,
        "sgd_nesterov": sgd_nesterov,
        "rmsprop_alpha": rmsprop_alpha,
        "adam_beta1": adam_beta1,
        "adam_beta2": adam_beta2,
    }
    given = {key: value for key, value in spelled.items() if key in known} | dict(section or {})
    component = choose("optimizers", optim, given, plugins)
    named = [new_layers] if isinstance(new_layers, str) else new_layers
    options = OptimOptions.checked(
        optim=optim,
        lr=lr,
        weight_decay=weight_decay,
        staged_lr=staged_lr,
        new_layers=[name for name in named if name],
        base_lr_mult=base_lr_mult,
        groups={name: dict(rule) for name, rule in (groups or {}).items()},
        layer_decay=layer_decay,
    )
    return make_optimizer(model, options, component, plugins or current_plugins())


def build_lr_scheduler(
    optimizer: Optimizer,
    lr_scheduler: str = "single_step",
    stepsize: int | Sequence[int] = 1,
    gamma: float = 0.1,
    max_epoch: int = 1,
    plugins: Plugins | None = None,
    section: Mapping[str, Any] | None = None,
    *,
    step_by: str = "epoch",
    steps_per_epoch: int | None = None,
    warmup_epochs: int = 0,
    warmup_steps: int = 0,
    warmup_factor: float = 0.01,
) -> LRScheduler:
    """Build a learning-rate scheduler, which the engine steps.

    It is torch's own, stepped once after each epoch, unless it goes by steps or warms up: then it
    is a `PacedScheduler` around that.

    Args:
        optimizer: the optimizer whose rates it sets.
        lr_scheduler: a registered name, such as single_step, multi_step, cosine, or a plugin's.
        stepsize: epochs between two falls (single_step) or the list of epochs (multi_step).
        gamma: factor at each fall.
        max_epoch: length of the cosine, in epochs.
        plugins: where to look the name up; the current plugins by default.
        section: the scheduler's own further options.
        step_by: ``epoch``, or ``step`` to move with each step of the optimizer.
        steps_per_epoch: optimizer steps in an epoch, ``len(datamanager.train_loader)`` where
            gradients are not accumulated; needed where ``step_by`` or the warm-up is in steps.
        warmup_epochs: epochs in which the rates rise linearly to those of the scheduler.
        warmup_steps: optimizer steps in which they do, in the place of ``warmup_epochs``.
        warmup_factor: share of the rates that the rise begins with.

    Raises:
        UnknownNameError: no such scheduler.
        ConfigError: ``stepsize`` does not suit the scheduler, an option is unknown, or another
            value is missing, mistyped or out of range.
    """
    component = choose("schedulers", lr_scheduler, section, plugins)
    options = TrainOptions.checked(
        gamma=gamma,
        max_epoch=max_epoch,
        lr_step_by=step_by,
        warmup_epochs=warmup_epochs,
        warmup_steps=warmup_steps,
        warmup_factor=warmup_factor,
    )
    if steps_per_epoch is None and options.counts_steps:
        raise ConfigError(
            "a schedule in steps needs to know how many an epoch has",
            "Give steps_per_epoch=len(datamanager.train_loader).",
        )
    return make_scheduler(optimizer, options, component, steps_per_epoch or 1, stepsize)


def make_optimizer(
    model: nn.Module,
    options: OptimOptions,
    component: Component,
    plugins: Plugins,
    learnt_by_losses: Sequence[nn.Parameter] = (),
) -> Optimizer:
    """Make an optimizer over a model's parameters.

    Args:
        model: the network, bare or data-parallel.
        options: its rates, and the layers that they are for.
        component: the optimizer with its own options.
        plugins: they choose the groups of parameters.
        learnt_by_losses: parameters of losses, such as centres, which are the last group.

    Raises:
        UnknownNameError: a layer or a rule is of nothing in the model.
        UserError: the model does not say how deep its layers are, and ``layer_decay`` asks for it.
    """
    groups = planned_groups(model, options, plugins)
    if learnt_by_losses:
        groups.append({"params": list(learnt_by_losses), "name": "losses"})
    made = component.make(groups=groups, lr=options.lr, weight_decay=options.weight_decay)
    if not isinstance(made, Optimizer):
        raise component.entry.defect(made, "a torch.optim.Optimizer")
    return made


def make_scheduler(
    optimizer: Optimizer,
    options: TrainOptions,
    component: Component,
    steps_per_epoch: int = 1,
    stepsize: int | Sequence[int] | None = None,
) -> LRScheduler:
    """Make a learning-rate scheduler, stepped as its options say.

    Args:
        optimizer: the optimizer whose rates it sets.
        options: when and by how much they rise and fall, and the epochs of the run.
        component: the scheduler with its own options.
        steps_per_epoch: optimizer steps in an epoch, which a schedule in steps needs to know.
        stepsize: in the place of the options' own, which is always a list.

    Raises:
        ConfigError: the warm-up has two lengths.
    """
    options.check_warmup()
    by_step = options.lr_step_by == "step"
    # What is counted in epochs is handed to the factory in what the scheduler counts.
    unit = steps_per_epoch if by_step else 1
    made = component.make(
        optimizer=optimizer,
        stepsize=_multiplied(options.stepsize if stepsize is None else stepsize, unit),
        gamma=options.gamma,
        max_epoch=options.max_epoch * unit,
        steps_per_epoch=unit,
    )
    if not has_methods(made, "step", "state_dict", "load_state_dict"):
        wanted = "a scheduler with the methods step, state_dict, load_state_dict"
        raise component.entry.defect(made, wanted)
    if not (options.counts_steps or options.warmup_epochs):
        return cast(LRScheduler, made)
    warmup = options.warmup_epochs, options.warmup_steps, options.warmup_factor
    paced = PacedScheduler(made, optimizer, steps_per_epoch, by_step, *warmup)
    return cast(LRScheduler, paced)  # of which it has what training and checkpoints call


def _multiplied(stepsize: Any, unit: int) -> Any:
    if unit == 1:
        return stepsize
    is_list = isinstance(stepsize, list | tuple)
    return [each * unit for each in stepsize] if is_list else stepsize * unit
