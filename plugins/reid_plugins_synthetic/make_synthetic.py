"""``reidcore data make-synthetic``: procedural people."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reid_plugins_synthetic.album import Settings
from reidcore.errors import counted

EPILOG = """\b
Examples:
  reidcore data make-synthetic people
  reidcore data make-synthetic people --seed 7 --train-ids 40 --test-ids 20 --cameras 3
"""

_ARGUMENT = re.compile(r"^ {4}(\w+): (.+)$", re.MULTILINE)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each setting of the dataset, with its default and its documentation."""
    texts = dict(_ARGUMENT.findall(inspect.getdoc(Settings) or ""))
    for name, parameter in reversed(list(inspect.signature(Settings).parameters.items())):
        text = texts[name][0].upper() + texts[name][1:]
        option = click.option(
            f"--{name.replace('_', '-')}",
            type=type(parameter.default),
            default=parameter.default,
            show_default=True,
            help=text,
        )
        command = option(command)
    return command


@click.command("make-synthetic", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path))
@settings_options
def make_synthetic(directory: Path, **settings: int) -> None:
    """Draw procedural people into DIRECTORY, in the layout of Market1501."""
    from reid_plugins_synthetic import make

    summary = make.make_synthetic(directory, **settings)
    state = "written" if summary.created else "there already"
    click.echo(
        f"{summary.directory}: {summary.train} training, {summary.query} query and "
        f"{counted(summary.gallery, 'gallery picture')} ({state})"
    )
