"""The curves of runs over their epochs: loss, accuracy, mAP and rank-1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reid_plugins_runs.folders import RunFolder, is_number
from reid_plugins_runs.line_chart import Panel, Point, Series
from reid_plugins_runs.repeats import Group

# What an epoch's entry holds beside the averages of its steps.
_BESIDE = ("epoch", "kind", "acc", "lr", "seconds", "data_seconds", "skipped_images", "rank1")


def panels_of(groups: Sequence[Group]) -> list[Panel]:
    """Return a panel for each of loss, accuracy, mAP and rank-1 that some run has.

    A group has one colour; each of its runs is a line.
    """
    curves: dict[str, Callable[[RunFolder], list[Point]]] = {
        "loss": _loss,
        "accuracy in training (%)": _accuracy,
        "mAP (%)": lambda run: _tested(run, "mAP"),
        "Rank-1 (%)": lambda run: _tested(run, "rank1"),
        "mAP of identities held out (%)": lambda run: _tested(run, "mAP", is_held_out=True),
        "Rank-1 of identities held out (%)": lambda run: _tested(run, "rank1", is_held_out=True),
    }
    panels = []
    for title, curve in curves.items():
        series = [
            Series(group.label, colour, points)
            for colour, group in enumerate(groups)
            for run in group.runs
            if (points := curve(run))
        ]
        if series:
            panels.append(Panel(title, "epoch", series))
    return panels


def loss_of(epoch: Mapping[str, Any]) -> float | None:
    """Return the loss of an epoch's entry: the sum of its terms, or the only one."""
    if "loss" in epoch:
        return _number(epoch["loss"])
    first = next((name for name in epoch if name not in _BESIDE), None)
    return None if first is None else _number(epoch[first])


def _loss(run: RunFolder) -> list[Point]:
    return [(epoch["epoch"], loss) for epoch in run.history if (loss := loss_of(epoch)) is not None]


def _accuracy(run: RunFolder) -> list[Point]:
    return [
        (epoch["epoch"], accuracy)
        for epoch in run.history
        if (accuracy := _number(epoch.get("acc"))) is not None
    ]


def _tested(run: RunFolder, figure: str, is_held_out: bool = False) -> list[Point]:
    """Return a figure in percent at each test."""
    return [(epoch, 100 * value) for epoch, value in run.tested(figure, is_held_out).items()]


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None
