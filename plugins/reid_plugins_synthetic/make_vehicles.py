"""``reidcore data make-vehicles``: procedural vehicles in a folder for each."""

from __future__ import annotations

from pathlib import Path

import click

from reid_plugins_synthetic.make_synthetic import settings_options
from reid_plugins_synthetic.vehicles.settings import VehicleSettings
from reidcore.cli import echo
from reidcore.errors import counted

EPILOG = """\b
Examples:
  reidcore data make-vehicles crops
  reidcore data make-vehicles crops --ids 60 --cameras 4 --seed 2
"""


@click.command("make-vehicles", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path))
@settings_options(VehicleSettings)
def make_vehicles(directory: Path, **settings: int) -> None:
    """Draw procedural vehicles into DIRECTORY, a folder for each, as crops of one's own come."""
    from reid_plugins_synthetic.vehicles import make

    summary = make.make_vehicles(directory, VehicleSettings(**settings))
    state = "written" if summary.created else "there already"
    bodies = ", ".join(f"{body} {count}" for body, count in sorted(summary.bodies.items()))
    echo(
        f"{summary.directory}: {counted(summary.pictures, 'picture')} of "
        f"{counted(settings['ids'], 'vehicle')}: {bodies} ({state})"
    )
