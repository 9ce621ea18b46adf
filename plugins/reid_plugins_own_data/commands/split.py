"""``reidcore data split``: train, validation, query and gallery of one's own table."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import Session, console, echo, json_alone, json_option, number, table

if TYPE_CHECKING:
    from reid_plugins_own_data.splitting.table import ImageTable

EPILOG = """\b
Examples:
  reidcore data split shop
  reidcore data split shop --train-share 0.5 --val-share 0 --seed 3
  reidcore data split vehicles/labels.csv --by class --queries-per-camera 2
  reidcore data split people.csv --pid person --protocol any_camera -o split.csv
"""

_SHARE = click.FloatRange(0, 1)


@dataclass(frozen=True)
class Wishes:
    """What the options ask for."""

    train_share: float
    val_share: float
    queries_per_camera: int
    protocol: str | None
    by: str
    only: str
    seed: int
    path: str
    pid: str
    camid: str


@click.command(epilog=EPILOG)
@click.argument("source", type=click.Path(path_type=Path), metavar="DEST")
@click.option(
    "--train-share",
    type=_SHARE,
    default=0.6,
    show_default=True,
    help="Share of the identities to learn from.",
)
@click.option(
    "--val-share", type=_SHARE, default=0.15, show_default=True, help="Share for validation."
)
@click.option(
    "--queries-per-camera",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Queries of an identity by a camera.",
)
@click.option(
    "--protocol",
    type=click.Choice(["market1501", "any_camera"]),
    help="Match in other cameras only, or in any; what fits if unset.",
)
@click.option("--by", default="", metavar="COLUMN", help="Draw evenly from each, such as class.")
@click.option("--only", default="", metavar="COLUMN=VALUE", help="No other rows, as class=van.")
@click.option("--seed", default=0, show_default=True, help="Other identities, other queries.")
@click.option("--path", default="", metavar="COLUMN", help="Column of the images' paths.")
@click.option("--pid", default="", metavar="COLUMN", help="Column of the identities.")
@click.option("--camid", default="", metavar="COLUMN", help="Column of the cameras.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Table to write; by default the one that was read.",
)
@json_option
@click.pass_obj
def split(
    session: Session, /, source: Path, output: Path | None, as_json: bool, **options: Any
) -> None:
    """Split a table of images into train, validation, query and gallery.

    DEST is a folder that `reidcore data import` made, or a table. Its column of splits is written
    anew, atomically. No identity is in two parts, every query has a match, and the same images and
    seed give the same split on any machine.
    """
    from reid_plugins_own_data.splitting.table import read_table, table_file, write_splits
    from reidcore.utils import write_json

    with session.plugins(), json_alone(as_json) as write:
        wishes = Wishes(**options)
        roles = {role: getattr(wishes, role) for role in ("path", "pid", "camid")}
        images = read_table(table_file(source), roles)
        words, record = _split(images, wishes)
        target = output or images.file
        write_splits(images, words, target)
        record |= {"table": str(target), "run": _run_line(images, target, record)}
        write_json(record, target.with_name(f"{target.stem}.split.json"))
        write(record)
    if not as_json:
        _print(record)


def _split(images: ImageTable, wishes: Wishes) -> tuple[list[str], dict[str, Any]]:
    """Return the word of each row, and the record of how they were found."""
    from reid_plugins_own_data.splitting.explanation import explain
    from reid_plugins_own_data.splitting.identities import Shares
    from reid_plugins_own_data.splitting.sightings import sightings_of
    from reid_plugins_own_data.splitting.split import (
        Options,
        class_counts,
        part_counts,
        split_sightings,
    )

    if wishes.by:
        images.check_column(wishes.by, "--by")
    is_wanted = images.rows_where(wishes.only) if wishes.only else None
    shares = Shares(wishes.train_share, wishes.val_share)
    options = Options(shares, wishes.queries_per_camera, wishes.protocol or "", wishes.seed)
    sightings = sightings_of(images.columns, images.roles, wishes.by, is_wanted)
    made = split_sightings(sightings, options)
    record = {
        "seed": wishes.seed,
        "train_share": wishes.train_share,
        "val_share": wishes.val_share,
        "queries_per_camera": wishes.queries_per_camera,
        "by": wishes.by,
        "only": wishes.only,
        "protocol": made.protocol,
        "splits": part_counts(sightings, made.words),
        "classes": class_counts(sightings, made),
        "notes": explain(sightings, made),
        "columns": images.options(),
    }
    return made.words, record


def _run_line(images: ImageTable, target: Path, record: dict[str, Any]) -> str:
    """Return a training on the table, as a shell takes it; empty if nobody can be learnt from."""
    from reid_plugins_own_data.splitting.explanation import FEWEST_TO_LEARN_FROM

    if record["splits"].get("train", {}).get("ids", 0) < FEWEST_TO_LEARN_FROM:
        return ""
    options = [f"csv.{role}={name}" for role, name in images.options().items()]
    words = ["reidcore", "run", "quickstart", "-s", "csv", "-t", "csv"]
    words += ["--root", str(target.parent), f"csv.file={target.name}", *options]
    words += [f"test.protocol={record['protocol']}", f"data.save_dir=log/{target.stem}"]
    return shlex.join(words)


def _print(record: dict[str, Any]) -> None:
    from reid_plugins_runs.child import is_step

    out = console()
    shown = table("split", *map(number, ("ids", "images", "cameras")), title=record["table"])
    for word, counts in record["splits"].items():
        shown.add_row(word, *(f"{count:,}" for count in counts.values()))
    out.print(shown)
    if record["classes"]:
        by_class = table(record["by"], *map(number, ("train", "validation", "test")), title="ids")
        for name, counts in record["classes"].items():
            by_class.add_row(name, *(f"{count:,}" for count in counts.values()))
        out.print(by_class)
    for note in record["notes"]:
        echo(note)
    if record["run"] and not is_step():
        echo(f"\nNext:\n  {record['run']}")
