"""Many runs: listing, showing and comparing them, sweeps that make them, and splits kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.engine import Engine


@hookimpl
def reid_run_start(engine: Engine) -> None:
    """Refuse a test on another split, whose images the model was trained on."""
    if engine.plan.test_only:  # in every process, so that all of them end
        from reid_plugins_runs.splits import refuse_learnt_images

        refuse_learnt_images(engine)
