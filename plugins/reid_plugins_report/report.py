"""The run that a report is about: its record, its curves, and the evidence of its targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reid_plugins_runs.folders import (
    METRICS,
    RESULTS,
    TEST_RESULTS,
    Results,
    read_results,
    read_run,
)

from reid_plugins_report.evidence import Evidence, read_evidence
from reid_plugins_report.page import Pictures
from reidcore.errors import DataError, UserError, quoted


@dataclass(frozen=True, eq=False)
class ReportedTarget:
    """A target of the run.

    Attributes:
        name: as the configuration has it.
        figures: what the record says of it: ``mAP``, ``rank1``, ..., ``intervals``, ``conditions``.
        evidence: what its test left for a report; None if it left nothing.
    """

    name: str
    figures: Mapping[str, Any]
    evidence: Evidence | None


@dataclass(frozen=True, eq=False)
class Report:
    """What a page is made of.

    Attributes:
        folder: the run's.
        results: its record, as ``results.json`` or ``test_results.json`` holds it.
        targets: in the order of the record.
        history: the entry of each epoch.
        tests: the figures of each target at each test: ``epoch``, ``target``, ``mAP``, ...
        pictures: makes thumbnails.
        projection: how the map of the embeddings is drawn, see `projections.METHODS`.
        faults: what could not be read, a sentence each.
    """

    folder: Path
    results: Mapping[str, Any]
    targets: Sequence[ReportedTarget]
    history: Sequence[Mapping[str, Any]] = ()
    tests: Sequence[Mapping[str, Any]] = ()
    pictures: Pictures = field(default_factory=Pictures)
    projection: str = "auto"
    faults: Sequence[str] = ()


def read_report(folder: Path, projection: str = "auto") -> Report:
    """Read the run of a folder.

    Raises:
        UserError: if it holds no record of a run, or a damaged one.
    """
    if not folder.is_dir():
        near = f"Give its folder: {str(folder.parent)!r}." if folder.is_file() else ""
        raise UserError(f"{quoted(str(folder))} is no folder", near or "Give the folder of a run.")
    found, faults = _evidence_in(folder)
    of_test = any(each.facts.get("test_only") for each in found.values())
    name, results = _record_in(folder, of_test)
    run = None if name == TEST_RESULTS else read_run(folder)
    targets = [
        ReportedTarget(name, figures, found.get(name)) for name, figures in results.targets.items()
    ]
    return Report(
        folder,
        results.model_dump(),
        targets,
        run.history if run else [],
        run.tests if run and (folder / METRICS).is_file() else [],
        projection=projection,
        faults=[*faults, *(run.faults if run else [])],
    )


def _record_in(folder: Path, of_test: bool) -> tuple[str, Results]:
    """Return the record that the evidence belongs to, or else the only one, and its file's name."""
    names = (TEST_RESULTS, RESULTS) if of_test else (RESULTS, TEST_RESULTS)
    for name in names:
        if (results := read_results(folder / name)) is not None:
            return name, results
    below = sorted(path.parent for path in folder.glob(f"*/{RESULTS}"))
    hint = f"There is one in {str(below[0])!r}." if below else "A run writes it (data.save_dir)."
    raise UserError(f"{str(folder)!r} holds no {RESULTS} of a run that has ended", hint)


def _evidence_in(folder: Path) -> tuple[dict[str, Evidence], list[str]]:
    """Return the evidence in a folder by target, and what of it could not be read."""
    found: dict[str, Evidence] = {}
    faults = []
    for path in sorted(folder.glob("report_*.npz")):
        try:
            evidence = read_evidence(path)
        except DataError as error:
            faults.append(str(error))
        else:
            found[str(evidence.facts.get("target", ""))] = evidence
    return found, faults
