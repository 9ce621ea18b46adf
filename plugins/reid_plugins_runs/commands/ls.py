"""``reidcore runs ls``: a line for each run."""

from __future__ import annotations

from typing import Any

import click

from reid_plugins_runs.commands.arguments import folders_argument, open_runs
from reid_plugins_runs.folders import RunFolder
from reid_plugins_runs.sheet import Column, Form, Sheet, form_options, show

EPILOG = """\b
Examples:
  reidcore runs ls
  reidcore runs ls log other/log --json
"""


@click.command("ls", epilog=EPILOG)
@folders_argument
@form_options
def list_runs(folders: tuple[str, ...], form: Form) -> None:
    """List runs: their state, what they trained, and their results.

    DIR is the folder of a run or one above several; by default log. Figures are in percent, and of
    several targets the mean. A run is stopped where it failed, was ended or was killed.
    """
    runs = open_runs(folders).runs
    show(form, [_sheet(runs)], [_record(run) for run in runs])


def _sheet(runs: list[RunFolder]) -> Sheet:
    numbers = ("epochs", "mAP", "Rank-1", "seconds", "ended")
    names = ("run", "state", "epochs", "model", "data", "mAP", "Rank-1", "seconds", "ended")
    columns = [Column(name, name in numbers) for name in names]
    return Sheet(columns, [_row(_record(run)) for run in runs])


def _record(run: RunFolder) -> dict[str, Any]:
    data = run.config.get("data", {})
    return {
        "run": run.name,
        "state": run.state,
        "epochs": run.epochs,
        "max_epoch": run.max_epoch,
        "model": run.config.get("model", {}).get("name"),
        "sources": list(data.get("sources", ())),
        "targets": list(data.get("targets", ()) or run.targets),
        "mAP": run.average("mAP"),
        "rank1": run.average("rank1"),
        "seconds": run.seconds,
        "ended": run.ended.isoformat(timespec="seconds") if run.ended else None,
    }


def _row(record: dict[str, Any]) -> list[str]:
    of_all = "" if record["max_epoch"] is None else f"/{record['max_epoch']}"
    ended = record["ended"] or "-"
    return [
        record["run"],
        record["state"],
        f"{record['epochs']}{of_all}",
        record["model"] or "-",
        _data(record["sources"], record["targets"]),
        *(
            "-" if record[name] is None else f"{100 * record[name]:.1f}"
            for name in ("mAP", "rank1")
        ),
        "-" if record["seconds"] is None else f"{record['seconds']:,.0f}",
        ended[:16].replace("T", " "),
    ]


def _data(sources: list[str], targets: list[str]) -> str:
    """Return what was trained on and tested on: ``market1501``, or ``market1501 → msmt17``."""
    sides = dict.fromkeys(", ".join(names) or "-" for names in (sources, targets))
    return " → ".join(sides)
