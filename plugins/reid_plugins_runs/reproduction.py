"""A run beside the record of an earlier one: do the numbers agree, and what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reid_plugins_runs.figure_names import heading, is_share
from reid_plugins_runs.flat_config import as_text, comparable
from reid_plugins_runs.folders import RESULTS, TEST_RESULTS, Results, is_number, read_results
from reid_plugins_runs.provenance import (
    PROVENANCE,
    TEST_PROVENANCE,
    Ingredients,
    read_provenance,
    surroundings,
    weights_of,
)
from reid_plugins_runs.sheet import Column, Sheet
from reidcore.errors import DataError, UserError
from reidcore.utils import environment

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

Agreement = Literal["exact", "within tolerance", "none"]

# What a run that is made again has otherwise, or tells by the digest of the weights.
_OF_THIS_RUN = {"model.load_weights"}
_DIGITS = 12


@dataclass(frozen=True)
class Record:
    """The record of a run or a test.

    Attributes:
        path: its file.
        results: what that holds.
        provenance: what the file beside it holds; empty if there is none.
    """

    path: Path
    results: Results
    provenance: Ingredients

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read ``results.json`` or ``test_results.json``, or that of a folder.

        Raises:
            UserError: if it is missing, damaged or no record that can be run again.
        """
        if path.is_dir():
            names = (RESULTS, TEST_RESULTS)
            path = next((path / name for name in names if (path / name).is_file()), path / RESULTS)
        results = read_results(path)
        if results is None:
            raise DataError(f"there is no {str(path)!r}", "Give the results.json of a run.")
        if not any(True for row in results.targets.values() for _ in _figures(row)):
            raise DataError(f"{str(path)!r} has no figures: nothing was tested")
        beside = TEST_PROVENANCE if path.name == TEST_RESULTS else PROVENANCE
        return cls(path, results, read_provenance(path.parent / beside))

    @property
    def config(self) -> dict[str, Any]:
        """The configuration.

        Raises:
            UserError: if there is none by which a run could be made.
        """
        config = self.results.config or {}
        if "model" not in config:
            is_of_features = "features" in config
            raise UserError(
                f"{str(self.path)!r} records no configuration of a run",
                "It is of features from elsewhere: give them to reidcore evaluate again."
                if is_of_features
                else "Its engine was built by hand, in a program that you may start again.",
            )
        return config

    def ingredients(self) -> Ingredients:
        """Return what the run was made of; kinds that are not recorded are not there."""
        extra = self.results.model_extra or {}
        data = {
            f"{name}, {split}": str(digest)[:_DIGITS]
            for name, splits in (extra.get("dataset") or {}).items()
            for split, digest in splits.items()
        }
        return {
            "version": self.results.versions,
            "plugin": {each["name"]: each["version"] for each in extra.get("plugins", ())},
            "device": {"device": _device(self.results.device)},
            **self.provenance,
            "data": data,
        }

    def now(self, plugins: Plugins, device: str) -> Ingredients:
        """Return what a run of it would be made of in this process, as far as that is known.

        Args:
            plugins: those that would take part.
            device: where it would run.
        """
        here, around = environment(), surroundings(plugins)
        return {
            "version": {name: here.get(name, "") for name in self.results.versions},
            "plugin": {each.name: each.version for each in plugins.active},
            "device": {"device": _device(device)},
            **around,
            "machine": {**around["machine"], "processes": "1"},
            "weights": weights_of(self.config["model"].get("load_weights") or ""),
        }


@dataclass(frozen=True)
class Change:
    """An ingredient that is not as it was.

    Attributes:
        kind: such as ``version``.
        name: what it is.
        recorded: its value in the record; None if it was not there.
        now: its value in the run; None if it is not there.
    """

    kind: str
    name: str
    recorded: str | None
    now: str | None

    def __str__(self) -> str:
        what = self.kind if self.kind == self.name else f"{self.kind} {self.name}"
        if self.recorded is None or self.now is None:
            return f"{what}: {'only then' if self.now is None else 'only now'}"
        return f"{what}: {self.recorded or 'none'} then, {self.now or 'none'} now"


@dataclass(frozen=True)
class Check:
    """A figure of both.

    Attributes:
        target: what it is of.
        name: such as ``mAP``.
        recorded: its value in the record.
        now: its value in the run; None if that has none.
    """

    target: str
    name: str
    recorded: float
    now: float | None

    def agreement(self, tolerance: float) -> Agreement:
        """Say how well the two agree."""
        if self.now is None:
            return "none"
        if self.now == self.recorded:
            return "exact"
        return "within tolerance" if abs(self.now - self.recorded) <= tolerance else "none"


@dataclass(frozen=True)
class Reproduction:
    """A record, and the run that was made of it.

    Attributes:
        recorded: the record.
        now: that of the run.
        tolerance: by how much figures may differ.
    """

    recorded: Record
    now: Record
    tolerance: float

    @cached_property
    def checks(self) -> list[Check]:
        """All figures of the record, beside those of the run."""
        targets = self.now.results.targets
        return [
            Check(target, name, value, dict(_figures(targets.get(target, {}))).get(name))
            for target, row in self.recorded.results.targets.items()
            for name, value in _figures(row)
        ]

    @property
    def agreement(self) -> Agreement:
        """How well the worst of all figures agrees."""
        kinds = {check.agreement(self.tolerance) for check in self.checks}
        order: tuple[Agreement, ...] = ("none", "within tolerance", "exact")
        return next(kind for kind in order if kind in kinds)

    @property
    def changes(self) -> list[Change]:
        """The ingredients that are not as they were."""
        found = changes(self.recorded.ingredients(), self.now.ingredients())
        leaves = comparable([self.recorded.config, self.now.config])
        then, now = (
            {k: as_text(v) for k, v in each.items() if k not in _OF_THIS_RUN} for each in leaves
        )
        return found + changes({"configuration": then}, {"configuration": now})

    @property
    def first_difference(self) -> int | None:
        """The first epoch whose losses are not the same in both; None if all are."""
        pairs = zip(self.recorded.results.training, self.now.results.training, strict=False)
        for before, after in pairs:
            common = [name for name in before if name in after and "seconds" not in name]
            if any(before[name] != after[name] for name in common):
                return int(before.get("epoch", 0))
        return None

    def sheet(self) -> Sheet:
        """Return a row for each figure."""
        rows = [
            [
                check.target,
                heading(check.name),
                f"{check.recorded:.6f}",
                "-" if check.now is None else f"{check.now:.6f}",
                {"none": "differs"}.get(kind := check.agreement(self.tolerance), kind),
            ]
            for check in self.checks
        ]
        numbers = [Column(name, is_number=True) for name in ("recorded", "now")]
        return Sheet([Column("target"), Column("figure"), *numbers, Column("agreement")], rows)

    def sentences(self) -> Iterator[str]:
        """Yield what it comes to: whether the numbers agree, and what is not as it was."""
        yield {
            "exact": "The numbers agree exactly",
            "within tolerance": f"The numbers agree within {self.tolerance:g}",
            "none": "The numbers do not agree",
        }[self.agreement]
        if self.recorded.results.training:
            epoch = self.first_difference
            same = "The losses of all epochs are the same"
            yield same if epoch is None else f"The losses differ from epoch {epoch} on"
        if differing := self.changes:
            yield "Not as it was:"
            yield from (f"  {change}" for change in differing)
        elif self.agreement != "exact":
            yield (
                "All that is recorded is as it was: operations on this device may not be "
                "deterministic"
            )

    def as_json(self) -> dict[str, Any]:
        """Return everything in plain values."""
        targets: dict[str, dict[str, Any]] = {}
        for check in self.checks:
            pair = {"recorded": check.recorded, "now": check.now}
            targets.setdefault(check.target, {})[check.name] = pair
        return {
            "recorded": str(self.recorded.path),
            "now": str(self.now.path),
            "agreement": self.agreement,
            "tolerance": self.tolerance,
            "targets": targets,
            "losses_differ_from_epoch": self.first_difference,
            "changes": [asdict(change) for change in self.changes],
        }


def changes(recorded: Ingredients, now: Ingredients) -> list[Change]:
    """Return the ingredients that are not as they were, of the kinds that both tell of."""
    return [
        Change(kind, name, recorded[kind].get(name), now[kind].get(name))
        for kind in recorded
        if kind in now
        for name in dict.fromkeys((*recorded[kind], *now[kind]))
        if recorded[kind].get(name) != now[kind].get(name)
    ]


def _figures(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    own = row.get("figures") or {}
    for name, value in [*row.items(), *own.items()]:
        if (is_share(name) or name in own) and is_number(value):
            yield name, float(value)


def _device(name: str) -> str:
    return name.partition(":")[0]
