"""``reidcore env``: what a bug report needs."""

from __future__ import annotations

import click

from reidcore.cli import echo, json_alone, json_option

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
        from reidcore.utils import collect_env_info, environment

        write(environment())
    if not as_json:
        echo(collect_env_info())
