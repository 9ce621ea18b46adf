"""Two groups of runs on the same queries: which is better, and whether chance could have done it.

The difference of two systems varies less than their figures do, since both have the same easy and
hard queries. Its interval is that of `reidcore.evaluation.bootstrap`, which draws
identities anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reid_plugins_runs.conditions import conditions_of, difference
from reid_plugins_runs.figure_names import heading, is_share
from reid_plugins_runs.folders import RESULTS
from reid_plugins_runs.per_query import (
    PER_QUERY,
    TEST_PER_QUERY,
    Float64,
    PerQuery,
    read_per_query,
)
from reid_plugins_runs.sheet import Column, Sheet
from reidcore.errors import DataError, counted
from reidcore.evaluation import bootstrap

if TYPE_CHECKING:
    from reid_plugins_runs.repeats import Group


@dataclass(frozen=True)
class Paired:
    """Two groups on one target.

    Attributes:
        target: its name.
        names: of the groups, the second of which is compared with the first.
        runs: how many runs each has, over which each query is averaged.
        differences: figure -> by how much the second is better.
    """

    target: str
    names: tuple[str, str]
    runs: tuple[int, int]
    differences: Mapping[str, bootstrap.PairedDifference]

    def sentence(self, figure: str) -> str:
        """Say in plain words which group is better by a share, such as ``mAP``."""
        found, (first, second) = self.differences[figure], self.names
        ends = found.low, found.high
        if found.low <= 0 <= found.high:
            told = f"no difference in {heading(figure)} is shown: {second} less {first} is"
            points = f"{100 * found.difference:.1f} points"
        else:
            better, worse = (second, first) if found.low > 0 else (first, second)
            told = f"{better} is better than {worse} by"
            points = f"{100 * abs(found.difference):.1f} points {heading(figure)}"
            ends = min(map(abs, ends)), max(map(abs, ends))
        low, high = (f"{100 * end:.1f}" for end in ends)
        return f"{self.target}: {told} {points}, 95 % interval {low} to {high}"

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values; shares in [-1, 1]."""
        return {
            "target": self.target,
            "groups": list(self.names),
            "runs": list(self.runs),
            "figures": {
                name: {"difference": each.difference, "low": each.low, "high": each.high}
                for name, each in self.differences.items()
            },
        }


def paired(first: Group, second: Group) -> tuple[list[Paired], list[str]]:
    """Compare two groups query by query, on each target that both were tested on.

    Returns:
        What was found, and a sentence for each target on which they cannot be compared.
    """
    found, reasons = [], []
    for target in [name for name in first.targets if name in second.targets]:
        try:
            found.append(_compared(first, second, target))
        except DataError as error:
            reasons.append(f"{target} is not compared query by query: {error}")
    return found, reasons


def sheet_of(compared: Sequence[Paired], figures: Sequence[str]) -> Sheet:
    """Return a row for each target: the differences, each with its 95 % interval."""
    shown = [name for name in figures if any(name in each.differences for each in compared)]
    first, second = compared[0].names
    rows = [
        [each.target, *(_cell(name, each.differences.get(name)) for name in shown)]
        for each in compared
    ]
    columns = [Column("target"), *(Column(heading(name), is_number=True) for name in shown)]
    return Sheet(columns, rows, f"{second} less {first} [95 % interval]")


def _compared(first: Group, second: Group, target: str) -> Paired:
    """Return the differences on a target.

    Raises:
        DataError: if the two were not tested on the same queries in the same way.
    """
    sides = [_tested(group, target) for group in (first, second)]
    all_runs = [run for side in sides for run in side]
    if told := difference((run.name, run.conditions) for run in all_runs):
        raise DataError(told)
    everything = [run.queries for run in all_runs]
    orders = [_order(queries, everything[0]) for queries in everything]
    means = []
    for side in sides:
        own = [_reordered(run.queries, orders.pop(0)) for run in side]
        names = set.intersection(*(set(figures) for figures in own))
        means.append({name: np.mean([each[name] for each in own], axis=0) for name in names})
    pids = everything[0].pids
    common = [name for name in everything[0].contributions if all(name in each for each in means)]
    differences = {
        name: bootstrap.paired_interval(means[0][name], means[1][name], pids) for name in common
    }
    runs = len(sides[0]), len(sides[1])
    return Paired(target, (first.name, second.name), runs, differences)


@dataclass(frozen=True)
class _Tested:
    """What a run found on a target."""

    name: str
    queries: PerQuery
    conditions: Mapping[str, Any]


def _tested(group: Group, target: str) -> list[_Tested]:
    found = []
    for run in group.finished:
        if target not in run.targets:
            continue
        path = run.path / (PER_QUERY if (run.path / RESULTS).is_file() else TEST_PER_QUERY)
        queries = read_per_query(path).get(target)
        if queries is None:
            raise DataError(f"{str(path)!r} has no target {target!r}", "Test again.")
        found.append(_Tested(run.name, queries, conditions_of(run.targets[target])))
    return found


def _order(queries: PerQuery, others: PerQuery) -> npt.NDArray[np.intp]:
    """Return the places at which queries have those of another test.

    Raises:
        DataError: if they are not the same queries.
    """
    if len(queries) != len(others):
        number = counted(len(others), "query", "queries")
        raise DataError(f"one has {number}, another {len(queries):,}")
    mine, wanted = _keys(queries), _keys(others)
    if mine == wanted:
        return np.arange(len(mine))
    places = {key: place for place, key in enumerate(mine)}
    if len(places) < len(mine) or places.keys() != {*wanted}:
        strange = next((key for key in wanted if key not in places), wanted[0])
        raise DataError(
            f"they are not of the same queries: one has identity {strange[0]} by camera "
            f"{strange[1]} in {strange[2]!r}"
        )
    return np.array([places[key] for key in wanted])


def _keys(queries: PerQuery) -> list[tuple[int, int, str]]:
    """Return what tells the queries apart, wherever their files lie."""
    paths = [PurePath(path).as_posix() for path in queries.paths.tolist()]
    folder = len(commonprefix(paths).rpartition("/")[0])  # noqa: RUF071  (up to the last slash)
    names = [path[folder:] for path in paths]
    return list(zip(queries.pids.tolist(), queries.camids.tolist(), names, strict=True))


def _reordered(queries: PerQuery, order: npt.NDArray[np.intp]) -> dict[str, Float64]:
    return {name: values[order] for name, values in queries.contributions.items()}


def _cell(figure: str, found: bootstrap.PairedDifference | None) -> str:
    if found is None:
        return "-"
    ends = f"{_signed(figure, found.low)}, {_signed(figure, found.high)}"
    return f"{_signed(figure, found.difference)} [{ends}]"


def _signed(figure: str, value: float) -> str:
    return f"{100 * value:+.1f}" if is_share(figure) else f"{value:+.4g}"
