"""``reidcore ls``: what can be named in a configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from reidcore import registry
from reidcore.cli.context import Session

if TYPE_CHECKING:
    from reidcore.registry import Entry

EPILOG = """\b
Examples:
  reidcore ls models
  reidcore ls datasets --json
"""


@click.command(epilog=EPILOG)
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def ls(session: Session, kind: str | None, as_json: bool) -> None:
    """List components by kind: name, summary, plugin.

    KIND is one of models, datasets, losses, samplers, engines, transforms, optimizers, schedulers,
    protocols and configs; without it all are listed.
    """
    with session.plugins() as plugins:
        kinds = (kind,) if kind else registry.KINDS
        listed = {each: registry.entries(each, plugins) for each in kinds}
    if as_json:
        rows = [_as_record(entry) for entries in listed.values() for entry in entries]
        click.echo(json.dumps(rows, indent=2))
        return
    _print_table(listed)


def _as_record(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "aliases": list(entry.aliases),
        "needs": list(entry.needs),
    }


def _print_table(listed: dict[str, list[Entry]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for kind, entries in listed.items():
        if not entries:
            continue
        table = Table(
            box=None, title=kind, title_justify="left", title_style="bold", pad_edge=False
        )
        table.add_column("name", style="cyan", no_wrap=True)
        table.add_column("summary")
        table.add_column("plugin", style="dim", no_wrap=True)
        for entry in entries:
            table.add_row(entry.name, entry.summary, entry.plugin)
        console.print(table)
        console.print()
