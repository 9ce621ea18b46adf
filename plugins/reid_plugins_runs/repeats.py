"""Runs that repeat one another: mean and deviation over their seeds and splits."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from reid_plugins_runs.flat_config import AVERAGED, Leaves, as_text, comparable, differing
from reid_plugins_runs.folders import RunFolder, is_number

# A legend has room for so many characters of one entry.
_LEGIBLE = 100


@dataclass(frozen=True)
class Figure:
    """A figure over the runs that have it.

    Attributes:
        mean: their mean.
        deviation: the deviation of the sample (divided by n - 1); None for a single run.
        n: how many they are.
    """

    mean: float
    deviation: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Return the figure of at least one value."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values))

    def percent(self) -> str:
        """Return it in percent, to one decimal place: ``41.3 ± 0.4``."""
        mean = f"{100 * self.mean:.1f}"
        return mean if self.deviation is None else f"{mean} ± {100 * self.deviation:.1f}"


@dataclass(frozen=True)
class Group:
    """Runs whose configurations differ in nothing but a seed or a split.

    Attributes:
        runs: at least one.
        leaves: the configuration that they share.
        values: of the keys by which groups differ, in their order.
    """

    runs: Sequence[RunFolder]
    leaves: Leaves
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder, or what the folders' names begin with and a star."""
        names = [run.name for run in self.runs]
        same = os.path.commonprefix(names)  # noqa: RUF071  (letters, as in seed=1 and seed=2)
        return names[0] if len(names) == 1 else f"{same}*"

    @property
    def label(self) -> str:
        """What tells it from other groups: the keys by which it differs, or else its name.

        Its name comes first where the keys are too many to be read in a legend.
        """
        told = ", ".join(f"{key}={as_text(value)}" for key, value in self.values.items())
        if len(told) <= _LEGIBLE:
            return told or self.name
        return f"{self.name}: {told}"

    @property
    def finished(self) -> list[RunFolder]:
        """The runs whose figures count."""
        return [run for run in self.runs if run.state == "finished" and run.targets]

    @property
    def targets(self) -> list[str]:
        """What they were tested on."""
        return list(dict.fromkeys(target for run in self.finished for target in run.targets))

    def figure(self, target: str, name: str) -> Figure | None:
        """Return a figure of a target over the finished runs; None if none has it."""
        rows = [run.targets[target] for run in self.finished if target in run.targets]
        values = [float(value) for row in rows if is_number(value := row.get(name))]
        return Figure.of(values) if values else None


def grouped(runs: Sequence[RunFolder], is_each_alone: bool = False) -> list[Group]:
    """Put the runs together whose configurations differ in a seed or a split alone.

    Runs of engines that were built by hand have no configuration: each stands alone.

    Args:
        runs: in the order in which groups are wanted.
        is_each_alone: make a group of each run, which seed and split tell apart as well.
    """
    members: dict[str, list[RunFolder]] = {}
    shared: dict[str, Leaves] = {}
    for run, leaves in zip(runs, comparable([run.config for run in runs]), strict=True):
        if not is_each_alone:
            leaves = {key: value for key, value in leaves.items() if key not in AVERAGED}
        alone = run.name if is_each_alone or not run.config else ""
        key = json.dumps([alone, leaves], sort_keys=True, default=str)
        members.setdefault(key, []).append(run)
        shared.setdefault(key, leaves)
    names = differing([leaves for leaves in shared.values() if leaves])
    return [
        Group(members[key], leaves, {name: leaves[name] for name in names if name in leaves})
        for key, leaves in shared.items()
    ]


def repeated(group: Group) -> list[str]:
    """Return a sentence for each seed and split that several runs of a group have.

    A mean counts them as if they were independent.
    """
    found: dict[str, list[str]] = {}
    for run in group.finished if group.leaves else ():
        values = {key: _at(run.config, key) for key in AVERAGED}
        told = " and ".join(f"{key}={as_text(value)}" for key, value in values.items())
        found.setdefault(told, []).append(run.name)
    return [
        f"{' and '.join(map(repr, names))} have one configuration, {told} included"
        for told, names in found.items()
        if len(names) > 1
    ]


def averaged_over(groups: Sequence[Group]) -> list[str]:
    """Return the keys over which some group is averaged, such as ``train.seed``."""
    return [
        key
        for key in AVERAGED
        if any(
            len(Counter(as_text(_at(run.config, key)) for run in group.finished)) > 1
            for group in groups
        )
    ]


def _at(config: Mapping[str, Any], key: str) -> Any:
    section, _, name = key.partition(".")
    return config.get(section, {}).get(name)
