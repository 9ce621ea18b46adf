"""``reidcore start``: from data of one's own to a model that is handed over."""

from __future__ import annotations

from pathlib import Path

import click

from reid_plugins_start.step import STEPS
from reidcore.cli import Session, device_option, echo, find_device
from reidcore.errors import UserError

EPILOG = """\b
Examples:
  reidcore start crops
  reidcore start crops -o vans --class van --minutes 10
  reidcore start shop/labels.csv --dry-run
  reidcore start shots pattern='(?P<camid>cam[0-9]+)-(?P<pid>[a-z]+)-'
  reidcore start crops --from train
"""


@click.command(epilog=EPILOG)
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of everything; by default DATA-reid here.",
)
@click.option(
    "--format", "form", default="", metavar="NAME", help="Of the data; found out by default."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Limit of the training.")
@click.option("--class", "class_name", default="", metavar="NAME", help="Take this class alone.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Other draws.")
@click.option("--from", "first", type=click.Choice(STEPS), help="Do this step and all later anew.")
@click.option("--step", "alone", type=click.Choice(STEPS), help="Do this step alone.")
@click.option("--dry-run", is_flag=True, help="Print the steps and do nothing.")
@device_option
@click.pass_obj
def start(
    session: Session,
    /,
    data: Path,
    words: tuple[str, ...],
    output: Path | None,
    form: str,
    minutes: float | None,
    class_name: str,
    seed: int,
    first: str | None,
    alone: str | None,
    dry_run: bool,
    device: str | None,
) -> None:
    """Make a model of your own crops: everything from the data to an export, in one command.

    DATA is anything that `reidcore data import` reads, with OPTION=VALUE of its format where that
    has to be told, or a table of images. It is imported, split,
    checked; a recipe is chosen for it and for this machine; a model is trained, tested, calibrated
    and exported, and DIR/handover has what others need. Each step is a command that is printed. The
    same command goes on where it stopped, and does anew what changed data or options concern.
    """
    from reid_plugins_runs.child import global_options

    from reid_plugins_start.context import Context, Wishes
    from reid_plugins_start.folders import Place
    from reid_plugins_start.journal import Journal
    from reid_plugins_start.road import steps_of
    from reid_plugins_start.run_steps import show, walk
    from reid_plugins_start.single_step import do_alone
    from reid_plugins_start.source import open_source
    from reidcore.utils import check_writable

    if alone and (first or dry_run):
        raise UserError("--step is given with --from or --dry-run", "Leave out one of them")
    with session.plugins() as plugins:
        source = open_source(data.expanduser(), class_name)
        if source.table is not None and (words or form):
            raise UserError(
                f"{str(source.table.file)!r} is a table, and nothing is imported",
                "Leave out --format and OPTION=VALUE",
            )
        place = Place((output or Path(f"{source.name}-reid")).expanduser())
        _refuse_inside(source.path, place.folder)
        journal = Journal.read(place.journal)
        wishes = Wishes(class_name, device, minutes, seed, form, words)
        context = Context(source, place, wishes, journal, plugins)
        steps, leading = steps_of(context), global_options("start")
        if dry_run:
            show(steps, journal, len(STEPS), leading)
            return
        check_writable(place.folder, "-o DIR")
        find_device(device)  # which the training would miss after all of the data was read
        if first is not None:
            journal.forget(list(STEPS[STEPS.index(first) :]))
        try:
            if alone:
                do_alone(steps, journal, alone, leading)
            else:
                walk(steps, journal, len(STEPS), leading)
        except KeyboardInterrupt:
            echo("Stopped; the same command goes on from there.", err=True)
            raise
    if alone in (None, STEPS[-1]):
        card = place.handover / "MODEL_CARD.md"
        echo(f"\nHanded over in {place.handover}: read {card}, and fill in its licences")


def _refuse_inside(data: Path, folder: Path) -> None:
    """Refuse a folder inside of the data, whose files would be taken for data the next time."""
    if data.is_dir() and folder.resolve().is_relative_to(data.resolve()):
        raise UserError(
            f"{str(folder)!r} is inside of the data {str(data)!r}", "Name another folder with -o"
        )
