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


def settings_options(kind: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what adds an option for each setting of a kind, with its default and documentation."""
    texts = dict(_ARGUMENT.findall(inspect.getdoc(kind) or ""))

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, parameter in reversed(list(inspect.signature(kind).parameters.items())):
            is_flag = isinstance(parameter.default, bool)
            command = click.option(
                f"--{name.replace('_', '-')}",
                type=type(parameter.default),
                is_flag=is_flag,
                default=parameter.default,
                show_default=not is_flag,
                help=texts[name][0].upper() + texts[name][1:],
            )(command)
        return command

    return added


@click.command("make-synthetic", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path))
@settings_options(Settings)
def make_synthetic(directory: Path, **settings: int) -> None:
    """Draw procedural people into DIRECTORY, in the layout of Market1501."""
    from reid_plugins_synthetic import make

    summary = make.make_synthetic(directory, **settings)
    state = "written" if summary.created else "there already"
    click.echo(
        f"{summary.directory}: {summary.train} training, {summary.query} query and "
        f"{counted(summary.gallery, 'gallery picture')} ({state})"
    )
