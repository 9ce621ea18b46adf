"""What is checked before a run begins, so that no mistake is found out after hours of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import registry
from reidcore.engine.plan import RunPlan
from reidcore.engine.terms import LossTerms, learns_from_logits
from reidcore.errors import UserError
from reidcore.evaluation.distances import check_metric
from reidcore.layers import require_layers, unwrapped
from reidcore.plugins import CORE, Plugins

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine


def check_plan(engine: Engine, plan: RunPlan) -> None:
    """Check a plan against what the engine has.

    Raises:
        UserError: if the run could not be carried out to its end.
    """
    engine.get_model_names()
    if not engine.test_loader:
        raise UserError("there is no target to test on", "Give targets to the data manager.")
    if not plan.test_only and plan.fixbase_epoch and plan.open_layers:
        require_layers(unwrapped(engine.model), plan.open_layers)
    if not plan.test_only and plan.fixbase_epoch:
        _check_classifier_learns(engine.terms, plan)
    registry.find("protocols", plan.protocol, engine.plugins)
    if not _measures_itself(engine.plugins):
        check_metric(plan.dist_metric)


def _check_classifier_learns(terms: LossTerms, plan: RunPlan) -> None:
    """Refuse to train new layers alone by losses that the classifier has no part in."""
    if terms and not learns_from_logits(terms):
        raise UserError(
            f"fixbase_epoch={plan.fixbase_epoch} trains the new layers alone at first, but no loss "
            f"reads the classifier's logits (losses: {', '.join(terms)})",
            "Weigh the cross entropy in, such as loss.triplet.weight_x=1, or set "
            "train.fixbase_epoch=0.",
        )


def _measures_itself(plugins: Plugins) -> bool:
    """Say whether a plugin gives distances, and so may know further metrics."""
    return any(
        plugin.name != CORE and not (implementation.wrapper or implementation.hookwrapper)
        for plugin, implementation in plugins.implementations("reid_compute_distance")
    )
