"""From an exception to one line and an exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from reidcore._logging import process_number
from reidcore.cli.installed import COMMANDS_GROUP
from reidcore.cli.output import echo
from reidcore.errors import PluginDefectError, ToldElsewhereError, UserError, printable
from reidcore.plugins import Plugins, describe
from reidcore.plugins.attribution import has_passed, owner_of_error
from reidcore.plugins.discovery import BUNDLED_DISTRIBUTION, installed_candidates

DEFECT, MISTAKE = 1, 2
_SIGPIPE = 13  # Windows has no such signal


def exit_code(error: BaseException, debug: bool, loaded: Sequence[Plugins] = ()) -> int:
    """Tell the user about an error and return the process's exit code.

    Args:
        error: what ended the command.
        debug: show the traceback.
        loaded: the plugins that the command loaded; one of them may be at fault.
    """
    if isinstance(error, SystemExit):
        refused = _refused_exit(error, loaded)
        if refused is None:
            return _code_of(error)
        error = refused
    if isinstance(error, click.Abort | KeyboardInterrupt):
        if not process_number():
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
    if isinstance(error, ToldElsewhereError):
        return MISTAKE if error.is_mistake else DEFECT
    if getattr(error, "is_broken_pipe", False):
        return 128 + _SIGPIPE  # whoever read has seen enough
    if isinstance(error, UserError):
        _report_error(str(error))
        return MISTAKE
    told = str(error) if isinstance(error, PluginDefectError) else _told(error, loaded)
    more = "" if debug else " For the traceback: reidcore --debug ..."
    _report_error(f"{told.rstrip('.')}.{more}")
    return DEFECT


def _code_of(exited: SystemExit) -> int:
    """Return the code that a command ended with, and show its message if it is one."""
    if exited.code is None or isinstance(exited.code, int):
        return exited.code or 0
    echo(exited.code, err=True)
    return DEFECT


def _refused_exit(error: SystemExit, loaded: Sequence[Plugins]) -> PluginDefectError | None:
    """Return the defect that an end of the program is, unless it is its command that ends."""
    for plugins in loaded:
        if plugin := plugins.blame(error):
            own = [module for module, owner in _commands().items() if owner == plugin.distribution]
            return None if has_passed(error, own) else plugins.defect(error)
    return None


def _told(error: BaseException, loaded: Sequence[Plugins]) -> str:
    plugin = next(filter(None, (plugins.blame(error) for plugins in loaded)), None)
    culprit = f"a defect in plugin {plugin.origin}" if plugin else _culprit_among_commands(error)
    return f"{culprit}: {describe(error)}"


def _culprit_among_commands(error: BaseException) -> str:
    """Say whose command a defect is in, or that it is in reidcore."""
    owner = owner_of_error(error, _commands()) or BUNDLED_DISTRIBUTION
    return "a defect in " + ("" if owner == BUNDLED_DISTRIBUTION else "a command of ") + owner


def _commands() -> dict[str, str]:
    """Return the modules of installed commands, each with the distribution that brings it."""
    return {
        candidate.location.partition(":")[0]: candidate.distribution
        for candidate in installed_candidates(COMMANDS_GROUP)
    }


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
    told = printable(f"process {process_number()}: {text}" if process_number() else text)
    click.echo(f"{head} {told}", file=sys.stderr, color=False if is_plain else None)
