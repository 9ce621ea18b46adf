"""``reidcore migrate config``: a configuration of Torchreid's or FastReID's as one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, component_names, echo

if TYPE_CHECKING:
    from reid_plugins_migrate.configs.values import Note

EPILOG = """\b
Examples:
  reidcore migrate config configs/Market1501/sbs_R50.yml -o sbs.yaml
  reidcore migrate config im_osnet_x1_0.yaml | less
  reidcore migrate config sbs_S50.yml --model timm/resnest50d -o sbs.yaml
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="File to write; standard output if unset.",
)
@click.option(
    "--model",
    default="",
    shell_complete=component_names("models"),
    metavar="NAME",
    help="Network to take where theirs has no counterpart.",
)
@click.pass_obj
def config(session: Session, /, file: str, output: str | None, model: str) -> None:
    """Turn a configuration of Torchreid or FastReID into one of reidcore.

    FILE is its YAML; a file that _BASE_ names is read from the same folder or the one above. The
    result is checked as `reidcore run` would. What means something else here, and what has no
    counterpart, is told in a table and in comments of the file.
    """
    from reid_plugins_migrate.configs.translation import translate
    from reidcore.utils import atomic_write

    source = Path(file)
    found = translate(source, model)
    with session.plugins() as plugins:
        found.check(plugins)
    text = found.as_yaml(source)
    if output is None:
        echo(text.rstrip("\n"))
    else:
        with atomic_write(output) as written:
            written.write(text.encode())
    _tell(found.notes)
    if output is not None:
        echo(f"Configuration written to {output}: reidcore run {output}", err=True)


def _tell(notes: list[Note]) -> None:
    """Show what changed and what is left out, on standard error where a pipe takes the result."""
    for note in notes:
        kind = "left out" if note.is_lost else "changed"
        echo(f"{kind:8}  {note.key} = {note.value!r}: {note.text}", err=True)
