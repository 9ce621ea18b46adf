"""What commands print, with nothing in it that steers a terminal."""

from __future__ import annotations

import sys

import click

from reidcore.errors import printable


def echo(text: object = "", *, err: bool = False) -> None:
    """Write a line to standard output, with control characters of names and files as escapes.

    Args:
        text: the line, or several.
        err: write to standard error instead.
    """
    click.echo(printable(text), file=sys.stderr if err else sys.stdout)
