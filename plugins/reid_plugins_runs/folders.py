"""The folder of a run: what ``results.json`` and ``metrics.jsonl`` there tell of it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import AfterValidator, BaseModel, ValidationError

from reidcore.errors import DataError, UserError, counted
from reidcore.utils import is_in_use, read_json

__all__ = [
    "METRICS",
    "RESULTS",
    "TEST_RESULTS",
    "Results",
    "RunFolder",
    "find_runs",
    "is_number",
    "read_results",
    "read_run",
]

RESULTS, METRICS = "results.json", "metrics.jsonl"
TEST_RESULTS = "test_results.json"
"""Of a test alone, which may stand beside the training's results."""

HELD_OUT = "validation"
"""The target that stands for identities which are held out of the training set."""

# What a run that was trained over left in its folder; such a folder is looked at if it is named.
_EARLIER = "earlier-"


class _Target(BaseModel, extra="allow"):
    """What must be a mapping in the row of a target."""

    figures: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    conditions: dict[str, Any] = {}


def _check_targets(targets: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for name, row in targets.items():
        try:
            _Target.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, (name, *first["loc"])))
            raise ValueError(f"{place}: {first['msg']}") from None
    return targets


def _check_sections(config: dict[str, Any]) -> dict[str, Any]:
    for name in ("data", "model", "test", "train", "loss", "settings"):
        if not isinstance(config.get(name, {}), dict):
            raise ValueError(f"{name!r} is no section of keys")
    return config


class Results(BaseModel, extra="allow"):
    """What ``results.json`` must hold to be a run's; ``docs/training.md`` has all of its keys."""

    format: Literal[1]
    finished: bool
    targets: Annotated[dict[str, dict[str, Any]], AfterValidator(_check_targets)]
    training: list[dict[str, Any]]
    timings: dict[str, float]
    config: Annotated[dict[str, Any], AfterValidator(_check_sections)] | None
    versions: dict[str, str] = {}
    device: str = ""
    selection: dict[str, Any] | None = None
    max_epoch: int | None = None


@dataclass(frozen=True)
class RunFolder:
    """A run that was begun.

    Attributes:
        path: its folder, as it was given.
        results: what ``results.json`` holds; None if the run has not come to an end.
        lines: those of ``metrics.jsonl``, in their order.
        is_running: whether a process trains there now.
        faults: what of it could not be read, a sentence each.
    """

    path: Path
    results: Results | None
    lines: Sequence[Mapping[str, Any]] = ()
    is_running: bool = False
    faults: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The folder as it is shown."""
        return str(self.path)

    @property
    def state(self) -> str:
        """``running``, ``finished``, or ``stopped``: it failed, was ended or was killed."""
        if self.is_running:
            return "running"
        return "finished" if self.results is not None and self.results.finished else "stopped"

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration, nested; empty if there is none."""
        return (self.results.config if self.results else None) or {}

    @property
    def targets(self) -> Mapping[str, Mapping[str, Any]]:
        """The figures of the last test by target, in [0, 1]."""
        return self.results.targets if self.results else {}

    @cached_property
    def history(self) -> list[Mapping[str, Any]]:
        """The entry of each epoch that is done."""
        told = [line for line in self.lines if line.get("kind") == "epoch"]
        recorded = self.results.training if self.results else []
        return told if len(told) > len(recorded) else [*recorded]

    @cached_property
    def tests(self) -> list[Mapping[str, Any]]:
        """The figures of each target at each test: ``epoch``, ``target``, ``mAP``, ...

        Where no line says it, those of the last test, at the last epoch.
        """
        told = [line for line in self.lines if line.get("kind") == "test"]
        last = self.epochs
        return told or [
            {"epoch": last, "target": name, **figures} for name, figures in self.targets.items()
        ]

    def tested(self, figure: str, is_held_out: bool = False) -> dict[int, float]:
        """Return a figure at each test, in [0, 1], the mean over the targets.

        Args:
            figure: such as ``mAP``.
            is_held_out: of the identities that are held out of the training set instead.
        """
        found: dict[int, list[float]] = {}
        for line in self.tests:
            if (
                is_number(value := line.get(figure))
                and (line.get("target") == HELD_OUT) == is_held_out
            ):
                found.setdefault(line["epoch"], []).append(float(value))
        return {epoch: fmean(values) for epoch, values in sorted(found.items())}

    @property
    def selection(self) -> Mapping[str, Any]:
        """How the best checkpoint was chosen; empty if none was."""
        return (self.results.selection if self.results else None) or {}

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return int(self.history[-1].get("epoch", len(self.history))) if self.history else 0

    @property
    def max_epoch(self) -> int | None:
        """How many were wanted, of all stages; None if that is not known."""
        told = [self.results.max_epoch] if self.results else []
        told += [line.get("max_epoch") for line in reversed(self.lines)]
        of_last_stage = self.config.get("train", {}).get("max_epoch")
        wanted = next((each for each in told if isinstance(each, int)), of_last_stage)
        return wanted if isinstance(wanted, int) and wanted >= self.epochs else None

    @property
    def seconds(self) -> float | None:
        """How long it took, or the training so far; None if that is not known."""
        if self.results is not None and not self.is_running:
            return self.results.timings.get("total_seconds")
        return sum(epoch.get("seconds", 0.0) for epoch in self.history) or None

    @cached_property
    def ended(self) -> datetime | None:
        """When it wrote its results, or else its last figures."""
        for path in (self.path / RESULTS, self.path / METRICS):
            if path.is_file():
                return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        return None

    def average(self, figure: str) -> float | None:
        """Return the mean of a figure over the targets, such as ``mAP``; None if none has it.

        Of a run that is under way it is that of the last test.
        """
        if self.is_running or not self.targets:
            return next(reversed(self.tested(figure).values()), None)
        found = [row[figure] for row in self.targets.values() if is_number(row.get(figure))]
        return fmean(found) if found else None


@dataclass
class Found:
    """The runs of some folders.

    Attributes:
        runs: those that can be read, in the order of their folders.
        faults: of all folders, what could not be read, a sentence each.
    """

    runs: list[RunFolder] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def find_runs(folders: Iterable[str | os.PathLike[str]]) -> Found:
    """Read the runs in folders, and in those below them; a damaged one costs no other.

    A folder without a run that holds the record of a test stands for that test.

    Args:
        folders: where to look.

    Raises:
        UserError: if a folder is missing, or none holds a run, be it one that cannot be read.
    """
    found, seen, given = Found(), set(), [Path(folder) for folder in folders]
    for folder in given:
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "is not there"
            raise UserError(f"{str(folder)!r} {what}", "Give folders of runs, or one above them.")
        paths = [*filter(is_run, folders_below(folder))]
        if not paths and (tested := read_results(folder / TEST_RESULTS)) is not None:
            seen.add(folder.resolve())
            found.runs.append(RunFolder(folder, tested))
        elif not paths:
            found.faults.append(f"no run in {str(folder)!r}")
        for path in paths:
            if (resolved := path.resolve()) in seen:
                continue
            seen.add(resolved)
            try:
                found.runs.append(run := read_run(path))
                found.faults += run.faults
            except DataError as error:
                found.faults.append(str(error))
    if not seen:
        named = ", ".join(repr(str(folder)) for folder in given)
        raise UserError(
            f"no run in {named}", f"The folder of a run (data.save_dir) holds {RESULTS}."
        )
    return found


def read_run(path: Path) -> RunFolder:
    """Read the run of a folder.

    Raises:
        DataError: if its ``results.json`` is damaged, or no run's.
    """
    results = read_results(path / RESULTS)
    lines, faults = _lines(path / METRICS)
    return RunFolder(path, results, lines, is_in_use(path), faults)


def read_results(path: Path) -> Results | None:
    """Read the record of a run or a test; None if there is no such file.

    Raises:
        DataError: if it is damaged, or no run's.
    """
    if not path.is_file():
        return None
    try:
        return Results.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        message = first["msg"].removeprefix("Value error, ")
        what = f"{str(path)!r} is no record of a run: {place}: {message}"
        raise DataError(what) from error
    except UserError as error:
        raise DataError(error.what) from error


def is_run(path: Path) -> bool:
    """Say whether a folder is a run's."""
    return (path / RESULTS).is_file() or (path / METRICS).is_file()


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a figure that can be averaged and drawn."""
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


def interval_of(row: Mapping[str, Any], figure: str) -> list[float] | None:
    """Return a figure's 95 % interval, as a target's record has it; None for none or a damaged one.

    Args:
        row: the target's record.
        figure: its name.
    """
    ends = (row.get("intervals") or {}).get(figure)
    return ends if isinstance(ends, list) and all(map(is_number, ends)) else None


def folders_below(top: Path) -> Iterator[Path]:
    """Yield a folder and those below it, in the order of their names, but not earlier runs."""
    for folder, below, _ in os.walk(top):
        below[:] = sorted(each for each in below if not each.startswith((".", _EARLIER)))
        yield Path(folder)


def _lines(path: Path) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the lines of a file of figures, and what is wrong with it.

    The last line may be under way.
    """
    try:
        written = path.read_bytes().splitlines() if path.is_file() else []
    except OSError as error:
        return [], [f"{str(path)!r} cannot be read: {error.strerror}"]
    parsed = [_parsed(line) for line in written]
    damaged = sum(line is None for line in parsed[:-1])
    what = f"{str(path)!r} has {counted(damaged, 'damaged line')}, left out"
    return [line for line in parsed if line is not None], [what] if damaged else []


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) and isinstance(read.get("epoch", 0), int) else None
