"""What the commands on runs take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from reid_plugins_runs.folders import Found, find_runs
from reid_plugins_runs.repeats import Group
from reidcore.cli import echo
from reidcore.errors import UserError
from reidcore.utils import atomic_write

_log = logging.getLogger(f"reidcore.{__name__}")

folders_argument: Callable[[Any], Any] = click.argument(
    "folders", nargs=-1, type=click.Path(), metavar="[DIR]..."
)
"""``DIR...``: folders of runs, or above them; none is ``log``."""

plot_option: Callable[[Any], Any] = click.option(
    "--plot", type=click.Path(dir_okay=False), metavar="FILE.png", help="Draw the curves."
)
"""``--plot``: a picture of the curves over the epochs."""


def open_runs(folders: Sequence[str]) -> Found:
    """Return the runs of a command's folders, and warn of what cannot be read.

    Raises:
        UserError: if there is none that can.
    """
    found = find_runs(folders or ["log"])
    for fault in found.faults:
        _log.warning("! %s", fault)
    if not found.runs:
        raise UserError("no run can be read", "Look at the files that are named above.")
    return found


def save_plot(path: str | None, groups: Sequence[Group], title: str) -> None:
    """Write the curves of runs as a PNG, if a path is given.

    Raises:
        UserError: if it is no PNG's, cannot be written, or no run has an epoch.
    """
    if path is None:
        return
    from reid_plugins_runs.curves import panels_of
    from reid_plugins_runs.line_chart import draw_panels

    if Path(path).suffix.lower() != ".png":
        raise UserError(f"--plot writes a PNG, not {path!r}", "Give a name that ends in .png.")
    panels = panels_of(groups)
    if not panels:
        raise UserError("no run has an epoch or a test to plot", "Leave out --plot.")
    with atomic_write(path) as file:
        draw_panels(panels, title).save(file, format="PNG", optimize=True)
    echo(f"Curves drawn in {path}", err=True)
