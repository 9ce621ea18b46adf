"""``reidcore env``: what a bug report needs."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  reidcore env
  reidcore env > env.txt
"""


@click.command(epilog=EPILOG)
def env() -> None:
    """Show versions, devices and which evaluation kernel is in use."""
    from reidcore._environment import collect_env_info

    click.echo(collect_env_info())
