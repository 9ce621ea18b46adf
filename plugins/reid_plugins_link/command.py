"""``reidcore link``: the tracks of several cameras as identities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import (
    Session,
    component_names,
    console,
    device_option,
    echo,
    json_alone,
    json_option,
    number,
    table,
)
from reidcore.errors import counted

if TYPE_CHECKING:
    from rich.table import Table

    from reid_plugins_link.job import Outcome
    from reid_plugins_link.scores import Scores

EPILOG = """\b
Examples:
  reidcore link town -w model.pth.tar -o linked --network town/scene.yaml
  reidcore link door=a.txt yard=b.txt --frames door=a.mp4 --frames yard=b.mp4 -w M -o linked
  reidcore link town --features linked/features.npz --accept linked/undecided.csv -o decided
"""

_FILE = click.Path()


class _Finite(click.FloatRange):
    """Numbers of a range; NaN is none, which no comparison refuses, and infinity if asked."""

    def __init__(self, *, above: bool = False, endless: bool = False) -> None:
        super().__init__(min=0, min_open=above)
        self._endless = endless

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number) or (math.isinf(number) and not self._endless):
            self.fail(f"{value} is no number of use here.", param, ctx)
        return number


@click.command(epilog=EPILOG)
@click.argument("tracks", nargs=-1, required=True)
@click.option(
    "-o", "--output", required=True, type=_FILE, metavar="DIR", help="Folder to write; a new one."
)
@click.option("-w", "--weights", type=_FILE, metavar="FILE", help="Checkpoint, or other weights.")
@click.option(
    "-m",
    "--model",
    default="",
    shell_complete=component_names("models"),
    metavar="NAME",
    help="If the weights do not tell it.",
)
@click.option(
    "--frames", multiple=True, metavar="CAMERA=PATH", help="Folder of images or video of a camera."
)
@click.option(
    "--features",
    multiple=True,
    metavar="[CAMERA=]FILE",
    help="Features of crops that were extracted before, in place of frames.",
)
@click.option(
    "--network",
    type=_FILE,
    metavar="FILE",
    help="YAML of clocks, ways between cameras, common views.",
)
@click.option("--overlap", multiple=True, metavar="A:B", help="Two cameras see the same place.")
@click.option("--fps", type=_Finite(above=True), help="If nothing tells it.")
@click.option("--threshold", type=float, help="Mean similarity from which tracks are joined.")
@click.option(
    "--calibration",
    type=_FILE,
    metavar="FILE",
    help="Or what 'calibrate -o FILE.json' wrote; by default what the weights hold.",
)
@click.option("--fmr", type=float, help="The false match rate of the calibration that is wanted.")
@click.option(
    "--undecided", type=float, metavar="LOW", help="From here to the threshold a person decides."
)
@click.option(
    "--method",
    default="average",
    show_default=True,
    metavar="average|chain",
    help="average: groups of tracks by mean similarity; chain: each track's successor.",
)
@click.option("--learn", is_flag=True, help="Learn how long the ways between cameras take.")
@click.option(
    "--rejoin",
    type=_Finite(endless=True),
    default=math.inf,
    metavar="SECONDS",
    help="Within which tracks of one camera may be joined; any time by default, 0 for never.",
)
@click.option(
    "--tolerance",
    type=_Finite(),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="By which clocks and the ends of tracks may be wrong.",
)
@click.option(
    "--crops", type=click.IntRange(min=1), default=8, show_default=True, help="Of each track."
)
@click.option(
    "--accept", multiple=True, type=_FILE, metavar="CSV", help="undecided.csv, filled in."
)
@click.option(
    "--truth", multiple=True, metavar="[CAMERA=]PATH", help="Ground truth, to be scored by."
)
@click.option("--sheets", is_flag=True, help="Draw a contact sheet of each identity.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Crops at a time.")
@device_option
@json_option
@click.pass_obj
def link(session: Session, /, as_json: bool, **options: Any) -> None:
    """Join the tracks of several cameras into identities.

    TRACKS are files in MOTChallenge's form, one for each camera, or folders with tracks.txt and
    img1/ in them; CAMERA=PATH names the camera, which is else called as the file or folder.
    OUTPUT gets the tracks under their identities, identities.csv, and undecided.csv for a person to
    fill in.
    """
    with json_alone(as_json) as write, session.plugins() as plugins:
        from reid_plugins_link.job import Asked, link_cameras

        outcome = link_cameras(Asked(**options), plugins)
        write(outcome.record)
    if not as_json:
        _print(outcome, options["output"])


def _print(outcome: Outcome, output: str) -> None:
    out = console()
    out.print(_cameras(outcome))
    record = outcome.record
    echo(
        f"{counted(record['identities'], 'identity', 'identities')}, "
        f"{record['across_cameras']:,} of them seen by several cameras; threshold "
        f"{outcome.threshold.similarity:.3f} ({outcome.threshold.source})"
    )
    for way in record["transitions"]:
        low, high = way["seconds"]
        echo(
            f"Learnt: from {way['from']} to {way['to']} in {low:g} to {high:g} seconds, from "
            f"{counted(way['learnt_from'], 'join')}"
        )
    if outcome.scores is not None:
        out.print("", _scores(outcome.scores), sep="\n")
        joins = outcome.scores.joins
        echo(
            f"Joins of tracks: precision {joins.precision:.1%}, recall {joins.recall:.1%}, purity "
            f"{joins.purity:.1%}; {counted(joins.nobody, 'track')} of nobody"
        )
    if outcome.doubts:
        pairs = counted(outcome.doubts, "pair")
        echo(f"{pairs} to decide: fill in {output}/undecided.csv, then --accept it", err=True)
    echo(f"Results written to {output}", err=True)


def _cameras(outcome: Outcome) -> Table:
    made = table("camera", number("tracks"), number("boxes"))
    for camera in outcome.record["cameras"]:
        made.add_row(camera["name"], f"{camera['tracks']:,}", f"{camera['boxes']:,}")
    return made


def _scores(scores: Scores) -> Table:
    made = table("boxes under", number("IDF1"), number("IDP"), number("IDR"))
    rows = {
        "these identities": scores.found,
        "no joins at all": scores.alone,
        "joins by the truth": scores.at_best,
    }
    for name, each in rows.items():
        made.add_row(name, *(f"{value:.1%}" for value in (each.idf1, each.idp, each.idr)))
    return made
