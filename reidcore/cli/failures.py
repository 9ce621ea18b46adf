"""From an exception to one line and an exit code."""

from __future__ import annotations

import traceback

import click

from reidcore.errors import UserError
from reidcore.plugins import current_plugins, describe

DEFECT, MISTAKE, INTERRUPTED = 1, 2, 130


def exit_code(error: BaseException, debug: bool) -> int:
    """Tell the user about an error and return the process's exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else DEFECT
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.secho("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return MISTAKE
    if debug:
        traceback.print_exception(error)
    if isinstance(error, UserError):
        _tell(str(error))
        return MISTAKE
    _tell_defect(error, debug)
    return DEFECT


def _tell_defect(error: BaseException, debug: bool) -> None:
    plugin = current_plugins().blame(error)
    culprit = f"a defect in plugin {plugin.origin}" if plugin else "a defect in reidcore"
    more = "" if debug else " Run with --debug for the traceback."
    _tell(f"{culprit}: {describe(error)}.{more}")


def _tell(text: str) -> None:
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {text}", err=True)
