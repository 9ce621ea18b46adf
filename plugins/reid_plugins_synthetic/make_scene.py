"""``reidcore data make-scene``: procedural people filmed by several cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reid_plugins_synthetic.make_synthetic import settings_options
from reid_plugins_synthetic.scene.settings import SceneSettings
from reidcore.cli import echo
from reidcore.errors import counted

EPILOG = """\b
Examples:
  reidcore data make-scene town
  reidcore data make-scene town --people 30 --cameras 4 --overlap --seed 2
"""


@click.command("make-scene", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path))
@settings_options(SceneSettings)
def make_scene(directory: Path, **settings: Any) -> None:
    """Film procedural people with several cameras into DIRECTORY, in MOTChallenge's layout."""
    from reid_plugins_synthetic.scene import make

    asked = SceneSettings(**settings)
    summary = make.make_scene(directory, asked)
    state = "written" if summary.created else "there already"
    echo(
        f"{summary.directory}: {counted(summary.frames, 'frame')} of "
        f"{counted(asked.cameras, 'camera')}, {counted(summary.boxes, 'box', 'boxes')} of "
        f"{counted(asked.people, 'person', 'people')}, {counted(summary.tracks, 'track')} ({state})"
    )
