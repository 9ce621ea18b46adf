"""``reidcore new``: a plugin package to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from reid_plugins_scaffold.drafts import DRAFTS
from reidcore.cli import Session, echo

EPILOG = """\b
Examples:
  reidcore new dataset mydata
  reidcore new loss center --dir plugins
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=click.Choice(list(DRAFTS)), metavar="KIND")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder in which the package's own folder is made; this one by default.",
)
@click.pass_context
def new(context: click.Context, kind: str, name: str, folder: Path) -> None:
    """Write a plugin package that brings a KIND called NAME.

    KIND is dataset, model, loss, engine, sampler, transform, protocol, optimizer, scheduler,
    recipe, command or step. NAME becomes the plugin's name and the component's; the package
    reid-NAME has a project file, the plugin, typed, and its tests, which check the contract of its
    kind.
    """
    from reid_plugins_scaffold.writing import write_package

    session: Session = context.obj
    files = write_package(kind, name, folder, session.plugins(), _commands(context.find_root()))
    for file in files:
        echo(file)
    echo(f"Next: cd {files[0].parent} && pip install -e . && pytest")


def _commands(root: click.Context) -> list[str]:
    """Return the names of all commands."""
    return root.command.list_commands(root) if isinstance(root.command, click.Group) else []
