"""``reidcore data import``: own data of many kinds to a dataset of crops."""

from __future__ import annotations

import re
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import Session, console, echo, json_alone, json_option, progress
from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reid_plugins_own_data.importing import Chosen, Imported, Wishes
    from reidcore.data import LeftOut

EPILOG = """\b
Examples:
  reidcore data import photos mydata
  reidcore data import shots mydata pattern='(?P<camid>cam[0-9]+)-(?P<pid>[a-z]+)-'
  reidcore data import MOT17/train mydata --every 10 --min-size 32x64 --min-visibility 0.3
  reidcore data import tracks.txt mydata frames=street.mp4 --margin 0.1
  reidcore data import annotations.xml mydata frames=street.mp4 --classes car,van
"""

_SECTION = "import"


class _Size(click.ParamType):  # type: ignore[type-arg]
    """Width and height, ``32x64``, or one number for both."""

    name = "WxH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+)(?:x(\d+))?", str(value).strip().lower())
        if not found or "0" in (found[1], found[2]):
            self.fail(f"{value!r} is no size: write width and height, as in 32x64", param, ctx)
        return int(found[1]), int(found[2] or found[1])


@click.command("import", epilog=EPILOG)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("dest", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option(
    "--format", "name", default="", metavar="NAME", help="The format; found out by default."
)
@click.option("--classes", default="", metavar="A,B", help="Only these classes.")
@click.option(
    "--every", type=click.IntRange(1), default=1, metavar="K", help="Every K-th crop of a track."
)
@click.option(
    "--max-per-track", type=click.IntRange(1), metavar="N", help="At most N of each, evenly spread."
)
@click.option(
    "--min-size",
    type=_Size(),
    default="1x1",
    metavar="WxH",
    help="Least width and height in pixels.",
)
@click.option(
    "--min-visibility",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Least share that is not hidden, where that is known.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 2),
    default=0.0,
    metavar="SHARE",
    help="Share of a box that is added on each side.",
)
@click.option("--camera", default="", metavar="NAME", help="The camera of all crops.")
@click.option("--shared-ids", is_flag=True, help="A number is one identity in all sequences.")
@click.option(
    "--files", type=click.Choice(["jpg", "png"]), default="jpg", help="Kind of files of cut crops."
)
@click.option("--link", is_flag=True, help="Hard links to files that need no cutting.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier import in DEST.")
@json_option
@click.pass_obj
def import_data(
    session: Session,
    /,
    source: Path,
    dest: Path,
    words: tuple[str, ...],
    name: str,
    overwrite: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make a dataset of own data: folders, names, tracks with frames or video.

    SOURCE is a file or folder; how it is read is found out, or said by --format. DEST gets a folder
    of images and labels.csv, which the dataset csv reads, and import.json, which says what was
    made of what. Files are copied as they are; boxes in frames are cut. OPTION=VALUE sets an option
    of the format.
    """
    with json_alone(as_json) as write, session.plugins() as plugins:
        from reid_plugins_own_data.importing import choose_importer, import_dataset

        options = _options(words)
        source, dest = source.expanduser(), dest.expanduser()
        chosen = choose_importer(source, name, options, plugins)
        _tell_choice(chosen, as_json)
        wishes = _wishes(options, **flags)
        shown = partial(progress, "importing")
        imported = import_dataset(source, dest, chosen, wishes, overwrite=overwrite, progress=shown)
        write(imported.record)
    if not as_json:
        _print(imported)


def _options(words: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of a format, whose values are spelled as in a configuration."""
    from reidcore.config import read_config

    for word in words:
        if not re.match(r"\w+=", word):
            raise UserError(f"{word!r} is no OPTION=VALUE", "Options of a format are given so")
    read = read_config(None, [f"{_SECTION}.{word}" for word in words]).layer.tree
    return dict(read.get(_SECTION, {}))


def _wishes(
    options: dict[str, Any],
    *,
    classes: str,
    every: int,
    max_per_track: int | None,
    min_size: tuple[int, int],
    min_visibility: float,
    margin: float,
    camera: str,
    shared_ids: bool,
    files: str,
    link: bool,
) -> Wishes:
    from reid_plugins_own_data.importing import Selection, Wishes

    named = tuple(filter(None, (part.strip() for part in classes.split(","))))
    selection = Selection(every, max_per_track or 0, min_size, min_visibility, named)
    return Wishes(options, selection, margin, camera, shared_ids, f".{files}", link)


def _tell_choice(chosen: Chosen, as_json: bool) -> None:
    if chosen.reason:
        echo(f"Read as {chosen.entry.name}: {chosen.reason}", err=as_json)


def _print(imported: Imported) -> None:
    from reid_plugins_runs.child import is_step

    from reid_plugins_own_data.importing.report import counts_table, notes

    console().print(counts_table(imported.rows))
    for note in (*filter(_is_untold, imported.left_out), *notes(imported.rows)):
        echo(note)
    echo(f"{counted(len(imported.rows), 'image')} written to {imported.folder}")
    following = _next_command(imported)
    if following and not is_step():
        echo(f"\nNext:\n  {following}")


def _next_command(imported: Imported) -> str:
    """Return what is done with a dataset; nothing can be with one identity alone."""
    if len({row.pid for row in imported.rows}) == 1:
        return ""
    folder = shlex.quote(str(imported.folder))
    if {row.crop.split for row in imported.rows} >= {"train", "query", "gallery"}:
        return f"reidcore run quickstart -s csv -t csv --root {folder} csv.file=labels.csv"
    several = len({row.crop.category for row in imported.rows}) > 1
    return f"reidcore data split {folder}" + (" --by class" if several else "")


def _is_untold(left_out: LeftOut) -> bool:
    """Say whether no warning told what was left out, for it was asked for or is of the layout."""
    return left_out.expected
