"""What is checked before a run begins, so that no mistake is found out after hours of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import registry
from reidcore.engine.plan import RunPlan
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
    registry.find("protocols", plan.protocol, engine.plugins)
    if not _measures_itself(engine.plugins):
        check_metric(plan.dist_metric)


def _measures_itself(plugins: Plugins) -> bool:
    """Say whether a plugin gives distances, and so may know further metrics."""
    return any(
        plugin.name != CORE and not (implementation.wrapper or implementation.hookwrapper)
        for plugin, implementation in plugins.implementations("reid_compute_distance")
    )
