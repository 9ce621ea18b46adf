"""Many runs side by side, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reid_plugins_runs.figure_names import FIGURES, heading, is_share
from reid_plugins_runs.flat_config import as_text
from reid_plugins_runs.folders import RunFolder
from reid_plugins_runs.repeats import Figure, Group, averaged_over, grouped, repeated
from reid_plugins_runs.sheet import Column, Sheet
from reidcore.errors import UserError, counted, did_you_mean, quoted

if TYPE_CHECKING:
    from reid_plugins_runs.paired import Paired

_NONE = "-"


class Comparison:
    """Runs, put together where they repeat one another.

    Args:
        runs: in the order in which they are shown.
        is_each_alone: average nothing.

    Attributes:
        groups: the runs, put together.
        paired: of two groups that were tested on the same queries, their difference on each target.
        remarks: what to bear in mind, a sentence each.
    """

    def __init__(self, runs: Sequence[RunFolder], is_each_alone: bool = False) -> None:
        self.groups = grouped(runs, is_each_alone)
        self.paired, not_paired = _paired(self.groups)
        self.remarks = [
            *_unfinished(runs),
            *(told for each in self.groups for told in repeated(each)),
            *not_paired,
        ]

    def sheets(self, figures: Sequence[str] = FIGURES) -> list[Sheet]:
        """Return the table of all groups and, of two on the same queries, that of differences.

        Args:
            figures: the names of the columns, such as ``mAP`` and ``rank1``.
        """
        if not self.paired:
            return [self.sheet(figures)]
        from reid_plugins_runs.paired import sheet_of

        return [self.sheet(figures), sheet_of(self.paired, figures)]

    def sheet(self, figures: Sequence[str] = FIGURES) -> Sheet:
        """Return a row for each group and target, in percent.

        Args:
            figures: the names of the columns, such as ``mAP`` and ``rank1``.
        """
        keys = list(dict.fromkeys(key for group in self.groups for key in group.values))
        has_targets = len({target for group in self.groups for target in group.targets}) > 1
        is_averaged = any(len(group.runs) > 1 for group in self.groups)
        columns = [
            Column("run"),
            *map(Column, keys),
            *([Column("target")] if has_targets else []),
            *([Column("n", is_number=True)] if is_averaged else []),
            *(Column(heading(figure), is_number=True) for figure in figures),
        ]
        rows = [
            [
                group.name,
                *(as_text(group.values[key]) if key in group.values else _NONE for key in keys),
                *([target or _NONE] if has_targets else []),
                *([str(_count(group, target))] if is_averaged else []),
                *(_cell(group.figure(target, figure)) for figure in figures),
            ]
            for group in self.groups
            for target in group.targets or [""]
        ]
        return Sheet(columns, rows, self._title())

    def sentences(self, figures: Sequence[str] = FIGURES) -> list[str]:
        """Say of each target which of two groups is better, by the first figure that they have."""
        found = [(each, next(filter(each.differences.get, figures), "")) for each in self.paired]
        return [each.sentence(figure) for each, figure in found if is_share(figure)]

    def require_figures(self, figures: Sequence[str]) -> None:
        """Refuse a figure that no finished run has, where there are finished runs.

        Args:
            figures: those that are asked for; the usual ones may be lacking.

        Raises:
            UserError: if one is no run's.
        """
        known = {
            name: None
            for group in self.groups
            for target in group.targets
            for name, _ in _figures(group, target)
        }
        for figure in figures if known else ():
            if figure not in known and figure not in FIGURES:
                near = did_you_mean(figure, known)
                raise UserError(
                    f"no run here has the figure {quoted(figure)}",
                    near or f"There are {', '.join(known)}.",
                )

    def as_json(self) -> dict[str, Any]:
        """Return the groups with all their figures in [0, 1], and each run's own."""
        groups = [
            {
                "name": group.name,
                "config": dict(group.values),
                "runs": [_run(run) for run in group.runs],
                "targets": {target: dict(_figures(group, target)) for target in group.targets},
            }
            for group in self.groups
        ]
        return {
            "averaged_over": averaged_over(self.groups),
            "groups": groups,
            "paired": [each.as_json() for each in self.paired],
            "remarks": self.remarks,
        }

    def _title(self) -> str:
        over = averaged_over(self.groups)
        return f"Results (%), mean ± deviation over {' and '.join(over)}" if over else "Results (%)"


def _paired(groups: Sequence[Group]) -> tuple[list[Paired], list[str]]:
    """Compare two groups query by query, if they are two and have targets in common."""
    if len(groups) != 2 or not {*groups[0].targets} & {*groups[1].targets}:
        return [], []
    from reid_plugins_runs.paired import paired  # which alone needs torch

    return paired(*groups)


def _unfinished(runs: Sequence[RunFolder]) -> Iterator[str]:
    for run in runs:
        if run.state != "finished":
            done = counted(run.epochs, "epoch")
            state = "is running" if run.is_running else "stopped"
            yield f"{run.name!r} {state} after {done}: it has no figures here"
        elif not run.targets:
            yield f"{run.name!r} was not tested"


def _count(group: Group, target: str) -> int:
    return sum(target in run.targets for run in group.finished)


def _cell(figure: Figure | None) -> str:
    return _NONE if figure is None else figure.percent()


def _figures(group: Group, target: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names = dict.fromkeys(name for run in group.finished for name in run.targets.get(target, {}))
    for name in names:
        if is_share(name) and (found := group.figure(target, name)):
            yield name, {"mean": found.mean, "std": found.deviation, "n": found.n}


def _run(run: RunFolder) -> dict[str, Any]:
    train, data = run.config.get("train", {}), run.config.get("data", {})
    return {
        "run": run.name,
        "state": run.state,
        "seed": train.get("seed"),
        "split_id": data.get("split_id"),
        "targets": {target: dict(row) for target, row in run.targets.items()},
    }
