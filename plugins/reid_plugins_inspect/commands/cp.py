"""``reidcore cp``: a recipe to edit."""

from __future__ import annotations

from pathlib import Path

import click

from reidcore import registry
from reidcore.cli import Session, component_names, echo
from reidcore.errors import UserError

EPILOG = """\b
Examples:
  reidcore cp quickstart my.yaml
  reidcore cp osnet_x1_0_market1501 configs/
"""


@click.command(epilog=EPILOG)
@click.argument("config", shell_complete=component_names("configs"))
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.pass_obj
def cp(session: Session, config: str, dest: Path, force: bool) -> None:
    """Copy the recipe CONFIG to the file or folder DEST, to make it yours."""
    from reidcore.config import recipe_file
    from reidcore.utils import atomic_write

    with session.plugins() as plugins:
        recipe = recipe_file(registry.find("configs", config, plugins))
    target = dest / recipe.name if dest.is_dir() else dest
    if target.exists() and not force:
        raise UserError(f"{str(target)!r} is there already", "Give another name, or --force.")
    with atomic_write(target) as file:
        file.write(recipe.read_bytes())
    echo(f"{target}  (reidcore run {target})")
