"""List, fetch, check and export weights.

Published weights come into a cache of this machine; a checkpoint is exported for others.

Examples:
    reidcore weights ls
    reidcore weights fetch osnet_x1_0
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import (
    Session,
    component_names,
    console,
    echo,
    json_alone,
    json_option,
    number,
    table,
    word,
)
from reidcore.errors import CheckpointError, UserError, counted

if TYPE_CHECKING:
    from reidcore.models import PublishedWeights, WeightsStore
    from reidcore.plugins import Plugins

LS_EPILOG = """\b
Examples:
  reidcore weights ls
  reidcore weights ls --json
  reidcore show weights osnet_x1_0
"""

FETCH_EPILOG = """\b
Examples:
  reidcore weights fetch osnet_x1_0 osnet_ain_x1_0
  reidcore weights fetch --mirror https://files.example.org/weights osnet_x1_0
"""

VERIFY_EPILOG = """\b
Examples:
  reidcore weights verify
  reidcore weights verify osnet_x1_0
"""

# Letters of a licence in the table: its name, without further terms.
_LICENCE = 13


@click.command("ls", epilog=LS_EPILOG)
@json_option
@click.pass_obj
def list_weights(session: Session, as_json: bool) -> None:
    """List published weights, and which of them are on this machine.

    A hash is published by whoever published the weights, or recorded when they first came here.
    What does not fit a terminal's line is cut: 'reidcore show weights NAME' tells all about one.
    """
    from reidcore.models import WeightsStore, published_weights

    store = WeightsStore()
    with json_alone(as_json) as write, session.plugins() as plugins:
        records = [
            {**_as_record(store, each), "plugin": entry.plugin}
            for entry, each in published_weights(plugins)
        ]
        write(records)
    if not as_json:
        _print_table(records)


@click.command(epilog=FETCH_EPILOG)
@click.argument(
    "names", nargs=-1, required=True, shell_complete=component_names("weights"), metavar="NAME..."
)
@click.option("--again", is_flag=True, help="Also if the file is here and whole.")
@click.option("--mirror", metavar="URL", help="Folder to fetch files from, instead of their own.")
@click.pass_obj
def fetch(session: Session, names: tuple[str, ...], again: bool, mirror: str | None) -> None:
    """Download published weights into the cache."""
    from reidcore.models import WeightsStore

    store = WeightsStore(mirror=mirror)
    with session.plugins() as plugins:
        for wanted in _named(names, plugins):
            held = None if again else store.locate(wanted)
            path = store.fetch(wanted) if held is None else store.require(wanted)
            state = "fetched" if held is None else "here already"
            echo(f"{wanted.name}: {path}, {_size(path)} ({state})")


@click.command(epilog=VERIFY_EPILOG)
@click.argument("names", nargs=-1, shell_complete=component_names("weights"), metavar="[NAME]...")
@click.pass_obj
def verify(session: Session, names: tuple[str, ...]) -> None:
    """Check the hashes of weights on this machine: of all, or of those named."""
    from reidcore.models import WeightsStore, published_weights

    store = WeightsStore()
    with session.plugins() as plugins:
        known = [each for _, each in published_weights(plugins)]
        chosen = _named(names, plugins) if names else known
    by_file = {each.filename: each for each in chosen if names or store.locate(each) is not None}
    differing = [each.name for each in by_file.values() if not _is_intact(store, each)]
    if differing:
        raise CheckpointError(
            f"{len(differing)} of {counted(len(by_file), 'file')} with another hash than expected",
            f"Fetch again: reidcore weights fetch --again {' '.join(differing)}",
        )
    echo(f"all whole: {counted(len(by_file), 'file')} in {store.folder}")


def _is_intact(store: WeightsStore, wanted: PublishedWeights) -> bool:
    path = store.locate(wanted)
    if path is None:
        raise UserError(
            f"the weights {wanted.name!r} are not on this machine",
            f"Run: reidcore weights fetch {wanted.name}",
        )
    held = store.check(wanted, path)
    if held.state == "differs":
        echo(f"{path}: expected sha256 {held.expected}, found {held.sha256}", err=True)
        return False
    if held.state == "new":
        store.record(wanted, held.sha256)
    who = {"published": "its publisher's", "recorded": "as recorded", "new": "recorded now"}
    echo(f"{path}: sha256 {held.sha256}, {who[held.state]}")
    return True


def _named(names: tuple[str, ...], plugins: Plugins) -> list[PublishedWeights]:
    from reidcore.models import find_published

    return [find_published(name, plugins) for name in names]


def _as_record(store: WeightsStore, wanted: PublishedWeights) -> dict[str, object]:
    path = store.locate(wanted)
    expected, state = store.expected(wanted)
    return {
        "name": wanted.name,
        "file": wanted.filename,
        "path": str(path) if path else None,
        "bytes": path.stat().st_size if path else None,
        "sha256": expected,
        "hash": "unknown" if state == "new" else state,
        "licence": wanted.licence,
        "origin": wanted.origin,
        "url": wanted.url,
    }


def _print_table(records: list[dict[str, object]]) -> None:
    from rich.table import Column

    out = console()
    licence = Column("licence", no_wrap=True, max_width=_LICENCE if out.is_terminal else None)
    origin = Column("origin", no_wrap=True, ratio=1)
    shown = table("name", number("here"), word("hash"), licence, origin)
    shown.expand = out.is_terminal
    for record in records:
        size = f"{int(str(record['bytes'])) / 1e6:.1f} MB" if record["path"] else "-"
        cells = [str(record[key]) for key in ("hash", "licence", "origin")]
        shown.add_row(str(record["name"]), size, *cells)
    out.print(shown)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
