"""Many runs: listing, showing and comparing them, sweeps that make them, and splits kept apart.

Each run leaves what its last test found for each query, beside its results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult


@hookimpl
def reid_run_files() -> list[str]:
    """Name what is written beside the results."""
    return ["per_query.npz", "test_per_query.npz"]


@hookimpl
def reid_run_start(engine: Engine) -> None:
    """Refuse a test on another split, whose images the model was trained on."""
    if engine.plan.test_only:  # in every process, so that all of them end
        from reid_plugins_runs.splits import refuse_learnt_images

        refuse_learnt_images(engine)


@hookimpl
def reid_report(engine: Engine, results: Mapping[str, TargetResult]) -> None:
    """Keep what a run's test found for each query; of one outside a run nothing is written."""
    if engine.active_run is not None:
        from reid_plugins_runs.per_query import keep_per_query

        keep_per_query(engine, results)
