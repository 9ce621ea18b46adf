"""The road from data to a model that is handed over: its steps, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from reid_plugins_start.context import Context
from reid_plugins_start.data_steps import check_step, import_step, split_step
from reid_plugins_start.handover import hand_over
from reid_plugins_start.model_steps import (
    calibrate_step,
    choose_step,
    export_step,
    report_step,
    train_step,
)
from reid_plugins_start.step import Step


def steps_of(context: Context) -> Iterator[Step]:
    """Yield the steps; each is made after the one before it is done, from what that found."""
    for make in (
        import_step,
        split_step,
        check_step,
        choose_step,
        train_step,
        calibrate_step,
        export_step,
        report_step,
        _hand_over_step,
    ):
        yield make(context)


def _hand_over_step(context: Context) -> Step:
    return Step(
        "hand-over",
        f"all of it for others, in {context.place.handover}",
        context.own_command("hand-over"),
        is_own=True,
        products=[context.place.handover / "MODEL_CARD.md"],
        act=lambda: hand_over(context),
    )
