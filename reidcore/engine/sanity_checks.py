"""What is checked before a run begins, so that no mistake is found out after hours of training."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn

from reidcore.config.options.plan import RunPlan
from reidcore.config.options.test import VALIDATION
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.evaluator import make_protocol, naming_target, relations_of
from reidcore.engine.loss_terms import LossTerms, learns_from_logits
from reidcore.engine.process_group import check_group
from reidcore.engine.selection import check_selection
from reidcore.errors import DataError, UserError, counted
from reidcore.evaluation import EvaluationProtocol, Labels
from reidcore.evaluation.distances import check_metric
from reidcore.evaluation.protocols import any_match, check_needs, why_no_match
from reidcore.evaluation.ranking import TIES, check_known
from reidcore.models.layers import require_layers
from reidcore.models.weights import trained
from reidcore.optim.pacing import PacedScheduler
from reidcore.plugins import CORE, Plugins

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine

_log = logging.getLogger(__name__)


def check_plan(engine: Engine, plan: RunPlan) -> None:
    """Check a plan against what the engine has.

    Raises:
        UserError: if the run could not be carried out to its end.
    """
    engine.get_model_names()
    check_group(engine.device)
    if not engine.test_loader and plan.test_only:
        raise no_target()
    if not engine.test_loader and plan.select_on != VALIDATION:
        _log.info("There is no target (data.targets): nothing will be tested")
    if not plan.test_only and plan.fixbase_epoch and plan.open_layers:
        require_layers(engine.model, plan.open_layers)
    if not plan.test_only and plan.fixbase_epoch:
        _check_classifier_learns(engine.terms, plan)
        _tell_if_others_never_learn(plan)
    if not plan.test_only:
        _check_batch_size(engine)
        _check_schedules(engine, plan)
    check_known("ties", plan.ties, TIES)
    protocol = make_protocol(engine.plugins, plan)
    _check_queries(engine, plan, protocol)
    check_selection(engine, plan, protocol)
    if not _measures_itself(engine.plugins):
        check_metric(plan.dist_metric)


def no_target() -> UserError:
    """Return the error of a test without a target."""
    return UserError(
        "there is no target to test on",
        "Name a dataset: -t NAME or data.targets, or targets of the data manager.",
    )


def warn_of_other_use(engine: Engine, plan: RunPlan) -> None:
    """Say where models are used otherwise than their weights were trained."""
    point = engine.resume_point
    if engine.config and point is not None and point.state.get("config") and not plan.test_only:
        return  # where a configuration differs from the one it resumes is told by its keys
    keys = ("dist_metric", "normalize_feature") if plan.test_only else ()
    test = {key: getattr(plan, key) for key in keys}
    for held in engine.states.values():
        trained.warn_of_other_use(held.model, engine.data_facts.preprocessing, test)


@contextmanager
def few_classes_explained(engine: Engine) -> Iterator[None]:
    """Say how many classes there are where a step fails because a label is no class.

    Raises:
        UserError: naming the numbers of classes and of identities.
    """
    try:
        yield
    except IndexError as error:
        linear = [each for each in engine.model.modules() if isinstance(each, nn.Linear)]
        classes, pids = linear[-1].out_features if linear else 0, engine.datamanager.num_train_pids
        if not linear or classes >= pids:
            raise
        raise UserError(
            f"the model has {classes} classes, and the data {pids} identities",
            "Build it with num_classes=datamanager.num_train_pids.",
        ) from error


def needs_two_images(model: nn.Module) -> bool:
    """Say whether a model normalises single values over a batch, which one image cannot give."""
    return any(isinstance(module, nn.BatchNorm1d) for module in model.modules())


def _check_batch_size(engine: Engine) -> None:
    _, world = rank_and_world()
    is_single = getattr(engine.train_loader, "batch_size", None) in (1, world)
    if is_single and needs_two_images(engine.model):
        share = "a batch of one image" + (" in each process" if world > 1 else "")
        raise UserError(
            f"{share} cannot be normalised (the model has BatchNorm1d)",
            f"Set train.batch_size to {2 * world} or more.",
        )


def _check_schedules(engine: Engine, plan: RunPlan) -> None:
    """Refuse a warm-up that the run would not see the end of; tell of a miscounted epoch."""
    for state in engine.states.values():
        scheduler = state.scheduler
        if not isinstance(scheduler, PacedScheduler):
            continue
        if 0 < plan.max_epoch < scheduler.epochs_of_warmup:
            raise UserError(
                f"the warm-up of {scheduler.epochs_of_warmup:.4g} epochs is longer than the run of "
                f"{counted(plan.max_epoch, 'epoch')}",
                "Lower train.warmup_epochs or train.warmup_steps, or raise train.max_epoch.",
            )
        steps = engine.accelerator.precision.steps_in(len(engine.train_loader))
        if scheduler.counts_steps and scheduler.steps_per_epoch != steps:
            _log.warning(
                "The schedule counts %s an epoch, which has %d: build it with steps_per_epoch=%d",
                counted(scheduler.steps_per_epoch, "step"),
                steps,
                steps,
            )


def _check_queries(engine: Engine, plan: RunPlan, protocol: EvaluationProtocol) -> None:
    """Refuse a target without a valid query, or a column that the protocol needs.

    It is known where the data manager lists its targets' samples.
    """
    tested = {*engine.test_loader, *engine.data_facts.validation_loader}
    for name, splits in engine.data_facts.test_dataset.items():
        if name not in tested:
            continue
        labels = Labels.from_samples(splits["query"], splits["gallery"])
        with naming_target(name):
            check_needs(protocol, labels)
        relations = relations_of(protocol, labels)
        if relations is not None and not any_match(relations, labels):
            raise DataError(
                f"target {name!r}: none of its {len(splits['query'])} queries has a match in the "
                f"gallery under the protocol {plan.protocol}",
                why_no_match(labels),
            )


def _check_classifier_learns(terms: LossTerms, plan: RunPlan) -> None:
    """Refuse to train new layers alone by losses that the classifier has no part in."""
    if terms and not learns_from_logits(terms):
        raise UserError(
            f"fixbase_epoch={plan.fixbase_epoch} trains the new layers alone at first, but no loss "
            f"reads the classifier's logits (losses: {', '.join(terms)})",
            "Weigh the cross entropy in, such as loss.triplet.weight_x=1, or set "
            "train.fixbase_epoch=0.",
        )


def _tell_if_others_never_learn(plan: RunPlan) -> None:
    if plan.open_layers and plan.fixbase_epoch >= plan.max_epoch > 0:
        _log.warning(
            "train.fixbase_epoch=%d trains %s alone, and the training has %s: the other layers "
            "never learn. Lower train.fixbase_epoch, or raise train.max_epoch.",
            plan.fixbase_epoch,
            " and ".join(plan.open_layers),
            counted(plan.max_epoch, "epoch"),
        )


def _measures_itself(plugins: Plugins) -> bool:
    """Say whether a plugin gives distances, and so may know further metrics."""
    return any(
        plugin.name != CORE and not (implementation.wrapper or implementation.hookwrapper)
        for plugin, implementation in plugins.implementations("reid_compute_distance")
    )
