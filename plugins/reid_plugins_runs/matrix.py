"""Figures of models by what they were trained on and what they were tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import fmean
from typing import Any

from reid_plugins_runs.conditions import conditions_of, difference
from reid_plugins_runs.figure_names import heading, is_share
from reid_plugins_runs.flat_config import as_text
from reid_plugins_runs.folders import RunFolder, interval_of, is_number
from reid_plugins_runs.repeats import Figure, Group, averaged_over, grouped, repeated
from reid_plugins_runs.sheet import Column, Sheet

_NONE = "-"


class Matrix:
    """Models in rows, averaged over seeds and splits, and targets in columns.

    Args:
        runs: with the figures of all that they were tested on.
        targets: the columns; all that some run was tested on if there are none.

    Attributes:
        targets: the columns.
        remarks: what to bear in mind, a sentence each.
    """

    def __init__(self, runs: Sequence[RunFolder], targets: Sequence[str] = ()) -> None:
        self._groups = [group for group in grouped(runs) if group.finished]
        there = dict.fromkeys(chain.from_iterable(group.targets for group in self._groups))
        self.targets = [*(targets or there)]
        self.remarks = [
            *(told for group in self._groups for told in repeated(group)),
            *(told for target in self.targets if (told := self._unlike(target))),
        ]

    @property
    def is_empty(self) -> bool:
        """Whether no model was tested on any of the targets."""
        return not any({*group.targets} & {*self.targets} for group in self._groups)

    def sheet(self, figure: str) -> Sheet:
        """Return a figure of each model on each target; where it was trained stands in bold.

        Beside them is the mean over the targets that a model has not seen, if they are several. A
        single run's figure stands with its 95 % interval, the mean of several with their deviation.
        """
        keys = [key for key in self._keys() if key != "data.sources"]
        has_others = any(self._others(group, figure) is not None for group in self._groups)
        rows = [
            [
                _sources(group),
                *(as_text(group.values[key]) if key in group.values else _NONE for key in keys),
                *(_cell(group, target, figure) for target in self.targets),
                *([_shown(self._others(group, figure), figure)] if has_others else []),
            ]
            for group in self._groups
        ]
        start = 1 + len(keys)
        bold = {
            (row, start + column)
            for row, group in enumerate(self._groups)
            for column, target in enumerate(self.targets)
            if target in _trained_on(group)
        }
        columns = [Column("trained on"), *map(Column, keys)]
        named = [*self.targets, *(["others"] if has_others else [])]
        columns += [Column(name, is_number=True) for name in named]
        return Sheet(columns, rows, self._title(figure), bold)

    def as_json(self) -> dict[str, Any]:
        """Return all figures, shares in [0, 1], with their intervals."""
        return {
            "averaged_over": averaged_over(self._groups),
            "targets": self.targets,
            "rows": [self._row(group) for group in self._groups],
            "remarks": self.remarks,
        }

    def _row(self, group: Group) -> dict[str, Any]:
        return {
            "sources": _trained_on(group),
            "config": dict(group.values),
            "runs": [run.name for run in group.finished],
            "targets": {
                target: {
                    "is_own": target in _trained_on(group),
                    "figures": _figures(group, target),
                }
                for target in self.targets
                if target in group.targets
            },
        }

    def _others(self, group: Group, name: str) -> float | None:
        """Return the mean over the targets that a model was not trained on, if there are several.

        None where it was not tested on one of them.
        """
        unseen = [target for target in self.targets if target not in _trained_on(group)]
        found = [_figure(group, target, name) for target in unseen]
        known = [figure.mean for figure in found if figure is not None]
        return fmean(known) if len(known) == len(found) > 1 else None

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(key for group in self._groups for key in group.values))

    def _title(self, figure: str) -> str:
        unit = " (%)" if is_share(figure) else ""
        over = averaged_over(self._groups)
        spread = f"mean ± deviation over {' and '.join(over)}" if over else "[95 % interval]"
        return f"{heading(figure)}{unit} {spread}"

    def _unlike(self, target: str) -> str | None:
        """Say where the figures of a column were not measured alike.

        Splits of a dataset are other data, which a mean over them is of.
        """
        tested = [
            (run, conditions_of(run.targets[target]))
            for group in self._groups
            for run in group.finished
            if target in run.targets
        ]
        by_split: dict[str, list[tuple[str, Mapping[str, Any]]]] = {"": []}
        for run, conditions in tested:
            besides_data = {key: each for key, each in conditions.items() if key != "data"}
            by_split[""].append((run.name, besides_data))
            by_split.setdefault(_split(run), []).append((run.name, conditions))
        found = (difference(alike) for alike in by_split.values() if alike)
        told = next((each for each in found if each), None)
        return told and f"the figures on {target} cannot be set side by side: {told}"


def _split(run: RunFolder) -> str:
    return f"split {run.config.get('data', {}).get('split_id')}"


def _trained_on(group: Group) -> list[str]:
    data: Mapping[str, Any] = group.runs[0].config.get("data", {})
    return [*data.get("sources", ())]


def _sources(group: Group) -> str:
    return " + ".join(_trained_on(group)) or group.name


def _cell(group: Group, target: str, name: str) -> str:
    figure, interval = _figure(group, target, name), _interval(group, target, name)
    if figure is None:
        return _NONE
    shown = figure.percent() if is_share(name) else f"{figure.mean:.4g}"
    ends = ", ".join(_shown(end, name) for end in interval or ())
    return f"{shown} [{ends}]" if ends else shown


def _shown(value: float | None, name: str) -> str:
    if value is None:
        return _NONE
    return f"{100 * value:.1f}" if is_share(name) else f"{value:.4g}"


def _figure(group: Group, target: str, name: str) -> Figure | None:
    """Return a figure of the core's, or of a protocol's own."""
    if found := group.figure(target, name):
        return found
    rows = [
        run.targets[target].get("figures") or {} for run in group.finished if target in run.targets
    ]
    values = [float(row[name]) for row in rows if is_number(row.get(name))]
    return Figure.of(values) if values else None


def _interval(group: Group, target: str, name: str) -> Sequence[float] | None:
    """Return the 95 % interval of a single run's figure; that of a mean over seeds is unknown."""
    rows = [run.targets[target] for run in group.finished if target in run.targets]
    return interval_of(rows[0], name) if len(rows) == 1 else None


def _figures(group: Group, target: str) -> dict[str, dict[str, Any]]:
    rows = [run.targets[target] for run in group.finished if target in run.targets]
    names = [name for row in rows for name in (*filter(is_share, row), *(row.get("figures") or ()))]
    found = {}
    for name in dict.fromkeys(names):
        if figure := _figure(group, target, name):
            interval = _interval(group, target, name)
            found[name] = {
                "mean": figure.mean,
                "std": figure.deviation,
                "n": figure.n,
                "interval": interval and [*interval],
            }
    return found
