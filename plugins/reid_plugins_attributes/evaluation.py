"""Attributes in a test: answers for a target's gallery, their figures, and a table by attribute."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from reid_plugins_attributes.answers import LearntAttributes, learnt_attributes
from reid_plugins_attributes.figures import AttributeFigures, attribute_figures
from reid_plugins_attributes.questions import answers_in
from reidcore.engine import Engine, TargetResult, TargetTest, broadcast_object
from reidcore.utils import atomic_write

Figures = dict[str, float]
Intervals = dict[str, tuple[float, float]]

# What the test under way has found so far: target -> figures and their intervals.
_found: WeakKeyDictionary[Engine, dict[str, tuple[Figures, Intervals]]] = WeakKeyDictionary()

_SHOWN = "attributes "
"""What the names of the figures begin with, so that precision is not taken for a ranking's."""


def note_answers(engine: Engine, tested: TargetTest) -> None:
    """Answer the questions of a target's gallery, and keep the figures for the results.

    Nothing happens where the model learnt no attributes, or the gallery has none of them.
    """
    learnt = learnt_attributes(engine)
    table, features = tested.gallery.table, tested.gallery.features
    if learnt is None or not any(each.column in table.columns for each in learnt.questions):
        return
    answers = answers_in(table.columns, learnt.questions)
    described = (answers >= 0).any(axis=1)
    if not described.any():
        return
    said = (learnt.logits(features.cpu()) > 0).numpy()
    figures = attribute_figures(said[described], answers[described])
    intervals = figures.intervals(np.asarray(table.pids)[described])
    _found.setdefault(engine, {})[tested.name] = figures.by_name(), intervals
    tested.result.conditions["attributes"] = (
        f"{len(learnt.questions)} attributes of {int(described.sum())} gallery images"
    )
    if engine.is_final_test:
        file = Path(engine.plan.save_dir) / f"attributes_{tested.name}.csv"
        _write(file, learnt, figures)
        tested.result.files["attributes"] = file


def with_figures(engine: Engine, results: dict[str, TargetResult]) -> dict[str, TargetResult]:
    """Return a test's results with the figures of attributes beside those of rankings.

    Rank 0 alone has answered; every process calls this, and all return the same.
    """
    found = broadcast_object(_found.pop(engine, {}))
    if not found:
        return results
    return {
        name: _beside(result, *found[name]) if name in found else result
        for name, result in results.items()
    }


def _beside(result: TargetResult, figures: Figures, intervals: Intervals) -> TargetResult:
    named = {_SHOWN + name: value for name, value in figures.items()}
    ends = {_SHOWN + name: value for name, value in intervals.items()}
    ranking = result.ranking
    return replace(
        result,
        ranking=replace(
            ranking,
            figures={**ranking.figures, **named},
            intervals={**ranking.intervals, **ends},
        ),
    )


def _write(file: Path, learnt: LearntAttributes, figures: AttributeFigures) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["attribute", "recall_of_yes", "recall_of_no", "mean"])
    for question, yes, no in zip(
        learnt.questions, figures.recall_of_yes, figures.recall_of_no, strict=True
    ):
        rows.writerow([question.name, *(f"{each:.4f}" for each in (yes, no, (yes + no) / 2))])
    with atomic_write(file) as out:
        out.write(text.getvalue().encode())
