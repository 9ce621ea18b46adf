"""The training step: who takes part in it, and what it reports.

Who is in the step is read from the plugin list, never found out by running it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reidcore.data.left_out import first_names
from reidcore.errors import PluginError, UserError, did_you_mean
from reidcore.plugins import CORE, Plugin, Plugins
from reidcore.plugins.advice import leaving_out

if TYPE_CHECKING:
    from pluggy import HookCaller

    from reidcore.models import Outputs


@dataclass(frozen=True)
class StepOutcome:
    """What a training step did.

    Attributes:
        losses: the loss terms, already weighted, as detached scalars.
        accuracy: top-1 accuracy on the batch in percent, where there are logits.
        was_skipped: the step left the batch out.
    """

    losses: Mapping[str, Tensor] = field(default_factory=dict)
    accuracy: Tensor | None = None
    was_skipped: bool = False

    @classmethod
    def skipped(cls) -> StepOutcome:
        """Return the outcome of a step that left its batch out."""
        return cls(was_skipped=True)

    @property
    def total(self) -> Tensor:
        """The sum of the loss terms; a step of one's own may give it, by the name ``loss``."""
        if "loss" in self.losses:
            return self.losses["loss"]
        return torch.stack([value.float() for value in self.losses.values()]).sum()

    def figures(self) -> dict[str, Tensor]:
        """Return what a log shows: each term, their sum if there are several, the accuracy."""
        shown = dict(self.losses)
        if len(shown) > 1:
            shown["loss"] = self.total
        if self.accuracy is not None:
            shown["acc"] = self.accuracy
        return shown


class NonFiniteLossError(UserError, FloatingPointError):
    """The losses of a batch are no numbers to learn from.

    Args:
        losses: the terms by name, or their sum.
        images: the paths of the batch's images or, of a tracklet, of its frames.
    """

    def __init__(
        self, losses: Mapping[str, Tensor] | Tensor, images: Sequence[str | tuple[str, ...]] = ()
    ) -> None:
        terms = {"loss": losses} if isinstance(losses, Tensor) else losses
        values = {name: float(value.detach()) for name, value in terms.items()}
        shown = ", ".join(f"{name} {value:g}" for name, value in values.items())
        is_here = not all(map(math.isfinite, values.values()))
        where = "" if is_here else " in another process; here"
        # The frames of a clip have its path each.
        paths = list(dict.fromkeys(each if isinstance(each, str) else each[0] for each in images))
        of_batch = f" of the batch {first_names(paths, len(paths))}" if paths and is_here else ""
        super().__init__(
            f"the loss{of_batch} is not finite{where} ({shown})",
            "Lower train.lr, use train.amp=off, or leave such batches out: "
            "settings.training.alarms.non_finite=skip",
        )


def as_outcome(result: Any, origin: str) -> StepOutcome:
    """Turn what a step returned into an outcome.

    Torchreid's engines return a dictionary of numbers in which ``acc`` is the accuracy.

    Raises:
        TypeError: if it is neither an outcome nor a dictionary of numbers.
    """
    if isinstance(result, StepOutcome):
        return result
    if not isinstance(result, Mapping):
        raise TypeError(
            f"the step of {origin} returned {type(result).__name__}; "
            "return engine.outcome(losses), or a dictionary of numbers"
        )
    figures = {name: torch.as_tensor(value).detach() for name, value in result.items()}
    return StepOutcome(figures, accuracy=figures.pop("acc", None))


@dataclass(frozen=True)
class StepTrace:
    """What the engine's verbs did in the step under way.

    Attributes:
        outputs: what the model gave last.
        pids: (B,) the identities that it was given.
        losses_asked: whether ``engine.losses`` was called.
        images: the paths of the images, as far as the batch has them.
    """

    outputs: Outputs | None = None
    pids: Tensor | None = None
    losses_asked: bool = False
    images: Sequence[str | tuple[str, ...]] = ()


@dataclass(frozen=True)
class StepPlan:
    """Who takes part in the step of a run.

    Attributes:
        hook: calls the step, without the replacements that were not chosen.
        replacement: the plugin that replaces the core's step.
        step_wrappers: the plugins that surround the step, outermost first.
        loss_wrappers: the plugins that add loss terms, outermost first.
    """

    hook: HookCaller
    replacement: Plugin | None
    step_wrappers: tuple[Plugin, ...]
    loss_wrappers: tuple[Plugin, ...]

    def describe(self) -> list[str]:
        """Return the run header's lines, from the innermost outwards; none where only core acts."""
        step = ["core"]
        if self.replacement:
            step.append(f"{self.replacement.name} (replaces)")
        step += [f"{plugin.name} (wraps)" for plugin in reversed(self.step_wrappers)]
        losses = ["core", *(f"{plugin.name} (wraps)" for plugin in reversed(self.loss_wrappers))]
        lines = {"step": step, "losses": losses}
        return [f"{name}: {' <- '.join(who)}" for name, who in lines.items() if len(who) > 1]

    @property
    def plugins(self) -> list[str]:
        """The names of the plugins that decide what a step does, the innermost first."""
        return [each.name for each in (self.replacement, *reversed(self.step_wrappers)) if each]

    def as_record(self) -> dict[str, Any]:
        """Return who is in the step, for ``results.json`` and checkpoints."""
        return {
            "replacement": self.replacement.name if self.replacement else CORE,
            "step_wrappers": [plugin.name for plugin in self.step_wrappers],
            "loss_wrappers": [plugin.name for plugin in self.loss_wrappers],
        }


def plan_step(plugins: Plugins, choice: str | None = None) -> StepPlan:
    """Decide who takes the step.

    Args:
        plugins: the run's plugins.
        choice: ``train.step``: the plugin whose replacement acts, ``core`` for none, or None if
            there is at most one.

    Raises:
        PluginError: if several plugins replace the step and none was chosen, or the chosen one
            does not replace it.
    """
    plain, wrappers = _implementers(plugins, "reid_forward_backward")
    replacement = _choose(plain, choice)
    dropped = {id(plugin) for plugin in plain if plugin is not replacement}
    kept = [plugin for plugin in plugins.active if id(plugin) not in dropped]
    return StepPlan(
        plugins.subset_hook("reid_forward_backward", kept),
        replacement,
        tuple(wrappers),
        tuple(_implementers(plugins, "reid_compute_losses")[1]),
    )


def check_losses_were_called(plan: StepPlan, engine_name: str) -> None:
    """Refuse a first step that went past the plugins which add loss terms.

    Raises:
        UserError: naming them and the step that skipped ``engine.losses``.
    """
    if not plan.loss_wrappers:
        return
    culprit = f"plugin {plan.replacement.name!r}" if plan.replacement else f"engine {engine_name}"
    names = ", ".join(repr(plugin.name) for plugin in plan.loss_wrappers)
    raise UserError(
        f"plugin {names} adds a loss term, but the step of {culprit} never asked for the losses",
        "Call engine.losses(batch) in that step, or leave the plugin out: "
        f"{leaving_out(plan.loss_wrappers[0].name)}",
    )


def _implementers(plugins: Plugins, hook_name: str) -> tuple[list[Plugin], list[Plugin]]:
    plain, wrappers = [], []
    for plugin, implementation in plugins.implementations(hook_name):
        if implementation.wrapper or implementation.hookwrapper:
            wrappers.append(plugin)
        elif plugin.name != CORE:
            plain.append(plugin)
    return plain, wrappers


def _choose(replacements: list[Plugin], choice: str | None) -> Plugin | None:
    by_name = {plugin.name: plugin for plugin in replacements}
    if choice == CORE:
        return None
    if choice is not None:
        if choice not in by_name:
            raise PluginError(
                f"train.step is {choice!r}, but no active plugin of that name replaces the step",
                did_you_mean(choice, by_name) or f"Choose one of: {', '.join([*by_name, CORE])}.",
            )
        return by_name[choice]
    if len(by_name) > 1:
        names = " and ".join(repr(name) for name in by_name)
        raise PluginError(
            f"plugins {names} both replace the training step",
            f"Choose one: train.step={next(iter(by_name))}, or train.step=core for neither.",
        )
    return next(iter(by_name.values()), None)
