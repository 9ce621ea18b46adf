"""The root command: global options, the table of commands, and exit codes."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial

import click

import reidcore
from reidcore._logging import RESULT, clean_last_resort, fit_encodings, show_from
from reidcore.cli.arguments import plugin_option
from reidcore.cli.exit_codes import exit_code
from reidcore.cli.group import CommandGroup, CoreCommand
from reidcore.cli.names import plugin_names
from reidcore.cli.session import Session
from reidcore.plugins import Plugins
from reidcore.plugins.advice import BY_COMMAND
from reidcore.plugins.bundled import standard_streams

COMMANDS = {
    "run": CoreCommand("reidcore.cli.run:run", "Train and test as a configuration says."),
    "test": CoreCommand("reidcore.cli.test:test", "Test a trained model."),
    "ls": CoreCommand("reidcore.cli.ls:ls", "List models, datasets and every other component."),
    "plugins": CoreCommand(
        "reidcore.cli.plugins:plugins", "List plugins, and who answers a hook.", is_group=True
    ),
    "env": CoreCommand("reidcore.cli.env:env", "Show versions, devices and the evaluation kernel."),
}

EPILOG = """\b
Examples:
  reidcore run quickstart
  reidcore ls models
"""


@click.group(
    cls=CommandGroup,
    table=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(reidcore.__version__, prog_name="reidcore")
@click.option(
    "--no-plugin",
    "disabled",
    multiple=True,
    metavar="NAME",
    shell_complete=plugin_names,
    help="Leave a plugin out.",
)
@plugin_option
@click.option("--offline", is_flag=True, help="Download nothing.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more of what is done.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only results and warnings.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def root(
    context: click.Context,
    disabled: tuple[str, ...],
    extra: tuple[str, ...],
    offline: bool,
    verbose: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """A plugin-based framework for re-identification."""
    if verbose and quiet:
        raise click.UsageError("-v and -q are opposites: give one of them.")
    show_from(RESULT if quiet else logging.DEBUG if verbose else logging.INFO)
    if offline:
        os.environ["REIDCORE_OFFLINE"] = "1"  # for the processes of a run as well
    _let_torch_threads_wait_briefly()
    loaded = context.ensure_object(list)
    context.call_on_close(partial(BY_COMMAND.reset, BY_COMMAND.set(True)))
    context.obj = Session(disabled=disabled, extra=extra, debug=debug, loaded=loaded)


def _let_torch_threads_wait_briefly() -> None:
    """Have torch's threads sleep soon while they wait for one another, unless the user chose.

    By default they spin for a long time, on cores that data loaders and other programs want: on a
    busy machine a step then takes many times as long. Sleeping at once costs about half the speed
    of small networks on a machine of one's own (``benchmarks/threads.py``).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # GNU's OpenMP, in torch's Linux wheels


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a defect, 2 a mistake to mend, 130 Ctrl-C."""
    given = sys.argv[1:] if arguments is None else arguments
    loaded: list[Plugins] = []
    clean_last_resort()
    if "_REIDCORE_COMPLETE" in os.environ:
        logging.disable()  # what a shell asks for is all that its user wants to see
    fit_encodings()
    with standard_streams():
        try:
            code = root.main(given, prog_name="reidcore", standalone_mode=False, obj=loaded)
            sys.stdout.flush()
        except BaseException as error:
            code = exit_code(error, debug="--debug" in given, loaded=loaded)
    sys.exit(code if type(code) is int else 0)
