"""From an exception to one line and an exit code."""

from __future__ import annotations

import io
import os
import signal
import traceback
from collections.abc import Sequence

import click

from reidcore.cli.installed import COMMANDS_GROUP
from reidcore.cli.output import echo
from reidcore.errors import PluginDefectError, UserError, printable
from reidcore.plugins import Plugins, describe
from reidcore.plugins.attribution import owner_of_error
from reidcore.plugins.discovery import BUNDLED_DISTRIBUTION, installed_candidates

DEFECT, MISTAKE = 1, 2


def exit_code(error: BaseException, debug: bool, loaded: Sequence[Plugins] = ()) -> int:
    """Tell the user about an error and return the process's exit code.

    Args:
        error: what ended the command.
        debug: show the traceback.
        loaded: the plugins that the command loaded; one of them may be at fault.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else DEFECT
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.secho("Interrupted.", err=True)
        # Click raises Abort from what stopped the command.
        stop = error.__cause__ if isinstance(error, click.Abort) else error
        by = stop.args[0] if stop is not None and stop.args else signal.SIGINT
        return 128 + (by if isinstance(by, signal.Signals) else signal.SIGINT)
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        _with_advice(error).show(shown)
        echo(shown.getvalue().rstrip("\n"), err=True)
        return MISTAKE
    if debug:
        traceback.print_exception(error)
    if isinstance(error, UserError):
        _report_error(str(error))
        return MISTAKE
    if isinstance(error, PluginDefectError):
        _report_error(str(error))
    else:
        _report_defect(error, debug, loaded)
    return DEFECT


def _report_defect(error: BaseException, debug: bool, loaded: Sequence[Plugins]) -> None:
    plugin = next(filter(None, (plugins.blame(error) for plugins in loaded)), None)
    culprit = f"a defect in plugin {plugin.origin}" if plugin else _culprit_among_commands(error)
    more = "" if debug else " For the traceback: reidcore --debug ..."
    _report_error(f"{culprit}: {describe(error)}.{more}")


def _culprit_among_commands(error: BaseException) -> str:
    """Say whose command a defect is in, or that it is in reidcore."""
    owners = {
        candidate.location.partition(":")[0]: candidate.distribution
        for candidate in installed_candidates(COMMANDS_GROUP)
    }
    owner = owner_of_error(error, owners) or BUNDLED_DISTRIBUTION
    return "a defect in " + ("" if owner == BUNDLED_DISTRIBUTION else "a command of ") + owner


def _with_advice(error: click.ClickException) -> click.ClickException:
    """Return an error that says where an option of ``reidcore`` itself belongs."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    name, root = error.option_name, error.ctx.find_root().command
    if not any(name in option.opts for option in root.params):
        return error
    where = f"No such option {name!r} here. Write it before the command: reidcore {name} ..."
    return click.NoSuchOption(name, where, ctx=error.ctx)


def _report_error(text: str) -> None:
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    head = click.style("Error:", fg="red", bold=True)
    click.echo(f"{head} {printable(text)}", err=True, color=False if is_plain else None)
