"""The record of a run: what ``results.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reidcore._environment import versions

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.engine.evaluator import TargetResult
    from reidcore.engine.plan import RunPlan

FORMAT = 1


def record_run(
    engine: Engine, plan: RunPlan, timings: Mapping[str, float], is_finished: bool
) -> dict[str, Any]:
    """Return everything that is needed to understand a run's figures and to repeat them."""
    return {
        "format": FORMAT,
        "finished": is_finished,
        "targets": {name: record_target(result, plan) for name, result in engine.results.items()},
        "training": engine.history,
        "timings": dict(timings),
        "config": engine.config,
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in engine.plugins.active
        ],
        "step": engine.step_plan.as_record() if engine.step_plan else None,
        "dataset": fingerprints(engine.datamanager),
        "versions": versions(),
        "device": str(engine.device),
    }


def record_target(result: TargetResult, plan: RunPlan) -> dict[str, Any]:
    """Return the figures of one target."""
    return {
        **result.ranking.summary(plan.ranks),
        "num_valid_queries": result.ranking.num_valid,
        "num_skipped_queries": result.ranking.num_skipped,
        "num_skipped_images": result.num_skipped,
        "distance": plan.dist_metric,
        "rerank": plan.rerank,
        "protocol": plan.protocol,
        "ties": plan.ties,
        "timings": result.timings,
        "pictures": str(result.pictures) if result.pictures else None,
    }


def fingerprints(datamanager: Any) -> Any:
    """Return what identifies the data that was read, if the data manager can tell."""
    tell = getattr(datamanager, "fingerprints", None)
    return tell() if callable(tell) else None
