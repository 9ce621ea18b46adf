"""The curves of a training: loss terms, accuracy, learning rate, and the figures of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reid_plugins_runs.folders import is_number

from reid_plugins_report.charts import Line, Scale, line_chart, percent, plain
from reid_plugins_report.page import Html, Section, figure, figures
from reid_plugins_report.report import Report

# What an epoch's entry holds beside the averages of its steps.
_BESIDE = {"epoch", "kind", "seconds", "data_seconds", "skipped_images", "rank1", "acc", "lr"}


def training_section(report: Report) -> Section | None:
    """Return the section of the training; None of a test alone."""
    history = [entry for entry in report.history if is_number(entry.get("epoch"))]
    if not history:
        return None
    epochs = [float(entry["epoch"]) for entry in history]
    across = Scale("epoch", min(epochs), max(max(epochs), min(epochs) + 1))
    shown: list[Html | None] = [
        _terms(history, across),
        _one("Accuracy in training", "accuracy (%)", history, "acc", across),
        _one("Learning rate", "learning rate", history, "lr", across),
        _tests(report.tests, across),
    ]
    lead = f"{len(history):,} epochs, each the average over its steps."
    return Section("Training", figures(*shown), 10, lead)


def _terms(history: list[Mapping[str, Any]], across: Scale) -> Html | None:
    names = dict.fromkeys(
        name
        for entry in history
        for name, value in entry.items()
        if name not in _BESIDE and is_number(value)
    )
    lines = [
        Line(name, points, colour)
        for colour, name in enumerate(list(names)[:8])
        if (points := _points(history, name))
    ]
    return _chart("Loss", "loss", lines, across)


def _one(
    title: str, label: str, history: list[Mapping[str, Any]], name: str, across: Scale
) -> Html | None:
    points = _points(history, name)
    return _chart(title, label, [Line(title, points)] if points else [], across)


def _points(history: list[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    return [
        (float(entry["epoch"]), float(entry[name]))
        for entry in history
        if is_number(entry.get(name))
    ]


def _chart(title: str, label: str, lines: list[Line], across: Scale) -> Html | None:
    if not lines:
        return None
    values = [value for line in lines for _, value in line.points]
    upward = Scale.around(label, values, plain, floor=min(0.0, *values))
    first, last = lines[0].points[0][1], lines[0].points[-1][1]
    return figure(
        title, line_chart(lines, across, upward, f"{title}: from {first:.4g} to {last:.4g}")
    )


def _tests(tests: Any, across: Scale) -> Html | None:
    found: dict[str, list[tuple[float, float]]] = {}
    for line in tests:
        for name, shown in (("mAP", "mAP"), ("rank1", "Rank-1")):
            if is_number(line.get("epoch")) and is_number(line.get(name)):
                label = f"{line.get('target')} {shown}"
                found.setdefault(label, []).append((float(line["epoch"]), float(line[name])))
    lines = [
        Line(name, sorted(points), colour % 8)
        for colour, (name, points) in enumerate(found.items())
        if len(points) > 1
    ]
    if not lines:
        return None
    chart = line_chart(
        lines[:8], across, Scale("figure (%)", 0, 1, form=percent), "Figures of the tests by epoch"
    )
    return figure("Tests", chart)
