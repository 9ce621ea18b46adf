"""``reidcore reproduce``: run again what a record says, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, device_option, echo, find_device, json_alone, json_option
from reidcore.errors import UserError, counted
from reidcore.utils import check_writable, checkpoints_in

if TYPE_CHECKING:
    from reid_plugins_runs.reproduction import Change, Record

EPILOG = """\b
Examples:
  reidcore reproduce log/quickstart/results.json
  reidcore reproduce log/quickstart -o log/again --tolerance 0
  reidcore reproduce log/quickstart/test_results.json --root /data/reid --json
"""

_CONFIG = "reproduced_config.yaml"


@click.command(epilog=EPILOG)
@click.argument("results", type=click.Path(), metavar="RESULTS.json")
@click.option(
    *("-o", "--output"),
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Folder of the new run; beside the other, with -reproduced, by default.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.0005,
    show_default=True,
    help="By how much figures may differ.",
)
@click.option(
    "--root", type=click.Path(file_okay=False), metavar="DIR", help="Folder of datasets, if moved."
)
@device_option
@json_option
@click.pass_context
def reproduce(
    context: click.Context,
    results: str,
    output: str | None,
    tolerance: float,
    root: str | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Run again what a record says, and say whether the numbers agree.

    RESULTS.json is the results.json or test_results.json of a run, or its folder. What differs
    already (versions, plugins, code, device, weights) is told before; data and configuration are
    compared afterwards. Ends with exit code 1 if a figure differs by more than the tolerance.
    """
    from reid_plugins_runs.reproduction import Record, Reproduction, changes
    from reid_plugins_runs.sheet import show

    session: Session = context.obj
    with json_alone(as_json) as write:
        record = Record.read(Path(results))
        folder = _folder(record, output)
        with session.plugins(named=record.config.get("plugins")) as plugins:
            acting = device or (None if record.config.get("use_gpu", True) else "cpu")
            now = record.now(plugins, str(find_device(acting)))
        _tell_before(record, changes(record.ingredients(), now))
        again = _run(record, folder, root, device, as_json)
        found = Reproduction(record, again, tolerance)
        write(found.as_json())
    if not as_json:
        show("terminal", [found.sheet()], None)
        for sentence in found.sentences():
            echo(sentence)
    context.exit(0 if found.agreement != "none" else 1)


def _folder(record: Record, output: str | None) -> Path:
    """Return the folder of the new run, which must not hold another one."""
    beside = record.path.parent.resolve()
    folder = Path(output) if output else beside.with_name(f"{beside.name}-reproduced")
    if checkpoints_in(folder) or (folder / record.path.name).exists():
        raise UserError(f"{str(folder)!r} holds a run", "Give another folder: -o FOLDER.")
    check_writable(folder, "-o FOLDER")
    return folder


def _tell_before(record: Record, differing: Sequence[Change]) -> None:
    if not record.provenance:
        echo(f"{record.path} has no provenance.json beside it: the code is not compared", err=True)
    if not differing:
        echo("Code, versions, plugins and device are as they were", err=True)
        return
    echo(f"{counted(len(differing), 'thing')} not as recorded:", err=True)
    for change in differing:
        echo(f"  {change}", err=True)


def _run(
    record: Record, folder: Path, root: str | None, device: str | None, as_json: bool
) -> Record:
    """Make the run in a process of its own."""
    import yaml

    from reid_plugins_runs.child import global_options, run_reidcore
    from reid_plugins_runs.reproduction import Record
    from reidcore.utils import atomic_write

    config = folder / _CONFIG
    with atomic_write(config) as file:
        file.write(yaml.safe_dump(record.config, sort_keys=False, allow_unicode=True).encode())
    own = [*(["--root", root] if root else []), *(["--device", device] if device else [])]
    # From the beginning, wherever the recorded run went on from.
    fresh = ["model.resume=", "train.start_epoch=0"] if record.config["model"].get("resume") else []
    words = ["run", str(config), *own, *fresh, f"data.save_dir={folder}"]
    code = run_reidcore([*global_options("reproduce"), *words], stdout=2 if as_json else None)
    if code:
        raise UserError(f"the run ended with exit code {code}", "What went wrong is told above.")
    return Record.read(folder / record.path.name)
