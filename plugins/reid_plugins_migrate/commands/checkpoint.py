"""``reidcore migrate checkpoint``: weights of Torchreid or FastReID as a checkpoint of ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, component_names, echo
from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reid_plugins_migrate.checkpoints.conversion import Converted

EPILOG = """\b
Examples:
  reidcore migrate checkpoint osnet_x1_0_msmt17.pth
  reidcore migrate checkpoint model_final.pth --config sbs_R50.yml -o sbs.pth.tar
  reidcore migrate checkpoint model.pth --model resnet50 -o model.safetensors
"""

_SHOWN = 10
_ENDING = re.compile(r"\.(pth|pt|pkl|safetensors)(\.tar)?(-\d+)?$")


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="File to write; beside FILE if unset."
)
@click.option(
    "--model",
    default="",
    shell_complete=component_names("models"),
    metavar="NAME",
    help="Whose weights they are; told by names and shapes if unset.",
)
@click.option(
    "--config",
    type=click.Path(),
    metavar="FILE",
    help="The training's YAML, which says what weights do not.",
)
@click.pass_obj
def checkpoint(
    session: Session, /, file: str, output: str | None, model: str, config: str | None
) -> None:
    """Turn a checkpoint of Torchreid or FastReID into one of reidcore.

    The result says what model it is of, its head, and how its images became pixels, so that
    `reidcore test` and FeatureExtractor need no further options. Nothing in FILE is executed. What
    of FILE the model does not have is told, and left out; so is the optimizer's state.
    """
    from reid_plugins_migrate.checkpoints.conversion import convert, write
    from reid_plugins_migrate.checkpoints.reading import read_foreign
    from reid_plugins_migrate.configs.translation import translate

    source = Path(file)
    name = f"{_ENDING.sub('', source.name)}.reidcore.pth.tar"
    target = Path(output) if output else source.with_name(name)
    if target.exists() and target.samefile(source):
        raise UserError(f"-o is {str(target)!r}, the file that is read", "Give another name.")
    foreign = read_foreign(source)
    with session.plugins() as plugins:
        translation = translate(Path(config), model) if config else None
        converted = convert(foreign, plugins, model, translation.config if translation else None)
    write(converted, foreign, target)
    echo(f"{source}: {foreign.framework}'s {converted.name}, {_counts(converted)}")
    _tell(converted)
    echo(f"Checkpoint written to {target}")


def _counts(converted: Converted) -> str:
    told = counted(converted.loaded, "entry", "entries")
    return f"{told} taken over, {len(converted.unmatched)} left out"


def _tell(converted: Converted) -> None:
    for remark in converted.remarks:
        echo(f"assumed   {remark}", err=True)
    for key, reason in list(converted.unmatched.items())[:_SHOWN]:
        echo(f"left out  {key}: {reason}", err=True)
    if (more := len(converted.unmatched) - _SHOWN) > 0:
        echo(f"          and {more:,} more", err=True)
    for key in converted.untouched[:_SHOWN]:
        echo(f"random    {key}: the file has no such entry", err=True)
    if (more := len(converted.untouched) - _SHOWN) > 0:
        echo(f"          and {more:,} more", err=True)
