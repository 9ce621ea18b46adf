"""What ``run`` and ``test`` have in common: a configuration's words, and a plugin beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def configuration_command(epilog: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function ``(session, extra, words)``; click leaves its words alone."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        command = click.pass_obj(function)
        command = click.argument(
            "words", nargs=-1, type=click.UNPROCESSED, metavar="[CONFIG] [KEY=VALUE]..."
        )(command)
        command = click.option(
            "-p", "--plugin", "extra", multiple=True, metavar="FILE", help="Add a plugin file."
        )(command)
        settings = {"ignore_unknown_options": True, "allow_interspersed_args": True}
        return click.command(epilog=epilog, context_settings=settings, options_metavar="[OPTIONS]")(
            command
        )

    return decorate
