"""``reidcore env``: what a bug report needs."""

from __future__ import annotations

import click

from reidcore.cli.options import json_alone, json_option
from reidcore.cli.output import echo

EPILOG = """\b
Examples:
  reidcore env
  reidcore env --json
"""


@click.command(epilog=EPILOG)
@json_option
def env(as_json: bool) -> None:
    """Show versions, devices and which evaluation kernel is in use."""
    with json_alone(as_json) as write:
        from reidcore import _environment

        write(_environment.environment())
    if not as_json:
        echo(_environment.collect_env_info())
