"""Many runs: listing, showing and comparing them, sweeps that make them, and splits kept apart.

Each run leaves, beside its results, what its last test found for each query and what it was made
with.
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
    kinds = ("per_query.npz", "provenance.json")
    return [f"{of}{kind}" for of in ("", "test_") for kind in kinds]


@hookimpl
def reid_run_start(engine: Engine) -> None:
    """Refuse a test on another split, whose images the model was trained on.

    What the run is made with is kept beside its record.
    """
    if engine.plan.test_only:  # in every process, so that all of them end
        from reid_plugins_runs.splits import refuse_learnt_images

        refuse_learnt_images(engine)
    if engine.is_main_process:
        from reid_plugins_runs.provenance import keep_provenance

        keep_provenance(engine)


@hookimpl
def reid_report(engine: Engine, results: Mapping[str, TargetResult]) -> None:
    """Keep what a run's test found for each query; of one outside a run nothing is written."""
    if engine.active_run is not None:
        from reid_plugins_runs.per_query import keep_per_query

        keep_per_query(engine, results)
