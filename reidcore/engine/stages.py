"""Stages: parts of one run, each with parameters, a schedule, losses and a loader of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reidcore.engine.rng import capture_rng, restore_rng
from reidcore.errors import CheckpointError, PluginDefectError, quoted

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.checkpoint import ResumePoint
    from reidcore.engine.engine import Engine

MAIN = "main"
"""The stage of an engine that has no others."""


@dataclass(frozen=True)
class Stage:
    """A part of a run.

    Attributes:
        name: a checkpoint holds it.
        epochs: how many it has; its learning-rate schedule counts from the first, and in the last
            stage ``fixbase_epoch`` does.
        begin: called without arguments before its first batch, and where a run resumes in it, with
            the weights in place. It sets what differs in this stage: ``requires_grad``, the
            ``optimizer`` and ``scheduler`` of ``engine.states[name]``, other ``engine.terms`` and
            another ``engine.train_loader``; all of it is undone where the stage ends. Random
            numbers that it draws are put back, so that a run resumed here goes on as one that never
            stopped.
        first: the run's epoch, from 0, that it begins with; a run sets it.
        is_last: whether no stage comes after it; likewise.
    """

    name: str = MAIN
    epochs: int = 0
    begin: Callable[[], None] | None = None
    first: int = 0
    is_last: bool = True


def laid_out(engine: Engine, plan: RunPlan) -> tuple[list[Stage], RunPlan]:
    """Return an engine's stages, each with its first epoch, and the plan of all their epochs.

    Raises:
        PluginDefectError: if the engine gives none, or two have one name.
    """
    placed: list[Stage] = []
    total = 0
    for stage in engine.stages(plan):
        placed.append(replace(stage, first=total, is_last=False))
        total += stage.epochs
    placed[-1:] = [replace(stage, is_last=True) for stage in placed[-1:]]
    names = [stage.name for stage in placed]
    if not placed or len(set(names)) < len(names):
        raise PluginDefectError(
            f"{type(engine).__name__}.stages(plan) gave {quoted(names)}; it must give stages of "
            "different names, the configured one last"
        )
    return placed, plan.model_copy(update={"max_epoch": total})


def stage_at(stages: Sequence[Stage], epoch: int) -> Stage:
    """Return the stage that an epoch lies in; the last one for those beyond."""
    inside = (each for each in stages if each.first <= epoch < each.first + each.epochs)
    return next(inside, stages[-1])


def check_place(stage: Stage, point: ResumePoint) -> None:
    """Refuse to go on in another stage than a checkpoint was written in, save in the next one.

    Args:
        stage: the one that the run goes on in.
        point: the checkpoint's.

    Raises:
        CheckpointError: if so.
    """
    written = point.stage
    has_ended = stage.first == point and not point.state.get("step") and not written["is_last"]
    if has_ended or (stage.name, stage.first) == (written["name"], written["first"]):
        return
    raise CheckpointError(
        f"{point.path!r} is from the stage {quoted(written['name'])}, which began after "
        f"{written['first']} epochs, and this run is then in {quoted(stage.name)}, which begins "
        f"after {stage.first}",
        "Resume with the engine and the epochs of each stage that it was trained with.",
    )


@contextmanager
def entered(engine: Engine, stage: Stage) -> Iterator[None]:
    """Put in place what a stage sets, and afterwards what was there before.

    Raises:
        PluginDefectError: if the last stage sets an optimizer, which no resumed run would take up.
    """
    before, engine.stage = engine.stage, stage
    if stage.begin is None:
        try:
            yield
        finally:
            engine.stage = before
        return
    undo = _as_it_is(engine)
    optimizers = [state.optimizer for state in engine.states.values()]
    try:
        random = capture_rng()
        stage.begin()
        restore_rng(random)
        now = [state.optimizer for state in engine.states.values()]
        if stage.is_last and list(map(id, now)) != list(map(id, optimizers)):
            raise PluginDefectError(
                f"the stage {quoted(stage.name)} of {type(engine).__name__} is the last, and its "
                "begin() sets another optimizer than the model's",
                "Give the optimizer to register_model, or let a stage come after.",
            )
        _show_first(engine)
        engine.loss_optimizers = {
            name: each for name, each in engine.loss_optimizers.items() if name in engine.terms
        }
        yield
    finally:
        undo()
        engine.stage = before


def _as_it_is(engine: Engine) -> Callable[[], None]:
    """Return what puts back the parts of an engine that a stage may set."""
    terms, loss_optimizers = engine.terms, engine.loss_optimizers
    loader = engine.__dict__.get("train_loader")
    parts = [(state, state.optimizer, state.scheduler) for state in engine.states.values()]
    parameters = [each for state in engine.states.values() for each in state.model.parameters()]
    learning = [each.requires_grad for each in parameters]

    def undo() -> None:
        engine.terms, engine.loss_optimizers = terms, loss_optimizers
        _put_loader(engine, loader)
        for state, optimizer, scheduler in parts:
            state.optimizer, state.scheduler = optimizer, scheduler
        for parameter, learns in zip(parameters, learning, strict=True):
            parameter.requires_grad_(learns)
        _show_first(engine)

    return undo


def _put_loader(engine: Engine, loader: Any) -> None:
    """Put back a loader; one that nobody had asked for is asked for anew."""
    if loader is None:
        engine.__dict__.pop("train_loader", None)
    else:
        engine.train_loader = loader


def _show_first(engine: Engine) -> None:
    """Let ``engine.optimizer`` and ``engine.scheduler`` be those of the first model."""
    first = next(iter(engine.states.values()))
    engine.optimizer, engine.scheduler = first.optimizer, first.scheduler
